import { r as Kms } from "./kms-ByobZniR.cjs";
import { n as Emit, t as Around } from "./events-tnMhbVVB.cjs";
import { t as KeyStore } from "./keyStore-DwkJz-wb.cjs";

//#region src/keys/observedKms.d.ts
interface Observation {
  readonly emit: Emit | undefined;
  readonly around: Around | undefined;
}
//#endregion
//#region src/keys/kmsOfStore.d.ts
/** Makes a `Kms` that keeps keys of its own in the keys table. */
type KmsOfStore = (store: KeyStore, observation?: Observation) => Kms;
//#endregion
export { KmsOfStore as t };