import { r as Kms } from "./kms-EJ-Z6w4-.js";
import { n as Emit, t as Around } from "./events-DReYiB-J.js";
import { t as KeyStore } from "./keyStore-DX8B2sM8.js";

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