import { n as StoredKey, t as KeyStore } from "../keyStore-DX8B2sM8.js";
import { Agent } from "node:http";

//#region src/testing/calls.d.ts
/** A request as the emulator saw it. It holds no plaintext, no ciphertext and no credential. */
interface Call {
  readonly action: string;
  readonly requestId: string;
  readonly keyId?: string;
  readonly encryptionContext?: string;
  /** `ok`, the API's error code, or the kind of the fault; `pending` until it is answered. */
  readonly result: string;
}
/** Counts requests; remembers the last 10,000. */
declare class Calls {
  #private;
  /** Requests since the start or the last `reset()`, of one action or of all. */
  count(action?: string): number;
  get byAction(): {
    readonly [action: string]: number;
  };
  /** Oldest first. */
  get log(): readonly Call[];
  /** Requests that are being answered now. */
  get inFlight(): number;
  get maxInFlight(): number;
  /** TCP connections accepted. */
  get connections(): number;
  /** Resolves once `condition` holds; it is looked at whenever a request comes or goes. */
  until(condition: (calls: Calls) => boolean): Promise<void>;
  reset(): void;
  /** For the server: a request has come. */
  begin(action: string, requestId: string): {
    note(change: Partial<Omit<Call, 'action'>>): void;
    end(): void;
  };
  /** For the server: a connection was accepted. */
  connected(): void;
}
//#endregion
//#region src/testing/cmk.d.ts
type CmkState = 'Enabled' | 'Disabled' | 'PendingDelete' | 'PendingImport' | 'Archived';
/** A customer master key (Tencent's word for the KEK) with all versions of its key material, oldest first. */
interface Cmk {
  readonly keyId: string;
  alias: string;
  description: string;
  state: CmkState;
  rotation: boolean;
  readonly versions: Buffer[];
  /** Seconds since the epoch, as in the API. */
  readonly createTime: number;
  lastRotateTime: number;
  deletionDate: number;
}
//#endregion
//#region src/testing/cmks.d.ts
/** How a state changes, from which states it may, and what the API answers otherwise. */
declare const TRANSITIONS: {
  readonly enable: {
    readonly from: readonly ["Disabled", "Enabled"];
    readonly to: "Enabled";
    readonly refusal: "CmkStateNotSupport";
  };
  readonly disable: {
    readonly from: readonly ["Enabled", "Disabled"];
    readonly to: "Disabled";
    readonly refusal: "CmkStateNotSupport";
  };
  readonly archive: {
    readonly from: readonly ["Enabled"];
    readonly to: "Archived";
    readonly refusal: "CmkStateNotSupport";
  };
  readonly cancelArchive: {
    readonly from: readonly ["Archived"];
    readonly to: "Enabled";
    readonly refusal: "CmkNotArchived";
  };
  readonly scheduleDeletion: {
    readonly from: readonly ["Disabled"];
    readonly to: "PendingDelete";
    readonly refusal: "CmkShouldBeDisabled";
  };
  readonly cancelDeletion: {
    readonly from: readonly ["PendingDelete"];
    readonly to: "Disabled";
    readonly refusal: "CmkNotPendingDelete";
  };
};
type Transition = keyof typeof TRANSITIONS;
/** The CMKs of the emulator. */
declare class Cmks {
  #private;
  /** `changed` is called after each change, with all CMKs. */
  constructor(options: {
    now: () => number;
    initial?: readonly Cmk[];
    changed?: (cmks: readonly Cmk[]) => void;
  });
  /** Oldest first. */
  get list(): readonly Cmk[];
  create(options: {
    alias: string;
    keyId?: string;
    description?: string;
  }): Cmk;
  find(keyId: string): Cmk;
  /** A CMK that may encrypt. */
  forEncryption(keyId: string): Cmk;
  open(blob: string, context: string): {
    cmk: Cmk;
    version: number;
    plaintext: Buffer;
  };
  /** @throws ApiError `ResourceUnavailable.*` when the CMK is in a state that does not allow it */
  change(keyId: string, transition: Transition): Cmk;
  /** Adds a version: new ciphertexts are made with it, older ones stay readable. */
  rotate(keyId: string): Cmk;
  update(keyId: string, change: Partial<Omit<Cmk, 'keyId' | 'versions' | 'createTime'>>): Cmk;
}
//#endregion
//#region src/testing/faults.d.ts
/** What goes wrong with a request. */
type FaultKind = /** The API answers this error. */{
  readonly kind: 'error';
  readonly code: string;
  readonly message?: string;
} /** An HTTP status other than 200, as a gateway answers it. */ | {
  readonly kind: 'status';
  readonly status: number;
} /** The right answer, `ms` milliseconds late. */ | {
  readonly kind: 'delay';
  readonly ms: number;
} /** The right answer, once the faults are cleared. */ | {
  readonly kind: 'hold';
} /** The connection is cut before any answer, or in the middle of its body. */ | {
  readonly kind: 'hangUp';
  readonly when: 'before' | 'body';
} /** A complete HTTP answer whose JSON lacks its end. */ | {
  readonly kind: 'truncate';
} /** Half the body, and then nothing while the connection stays open. */ | {
  readonly kind: 'stall';
} /** Another body in place of the right one. */ | {
  readonly kind: 'body';
  readonly body: string | ((answer: string) => string);
};
/** A fault, for one action or for all, once unless told. */
type Fault = FaultKind & {
  readonly action?: string;
  readonly times?: number | 'always';
};
/** The faults to come, first in, first out. A request meets at most one. */
declare class Faults {
  #private;
  get list(): readonly Fault[];
  /** Returns a function that takes this fault back. */
  add(fault: Fault): () => void;
  /** Takes all faults back and lets held requests go on. */
  clear(): void;
  /** The fault that a request of this action meets now, if any. */
  take(action: string): Fault | undefined;
  /** Aborted by the next `clear()`. */
  get cleared(): AbortSignal;
}
//#endregion
//#region src/testing/rateLimits.d.ts
/** Requests per second that an action allows; an action that is not named has no limit. */
type Limits = {
  readonly [action: string]: number;
};
//#endregion
//#region src/testing/signature.d.ts
/** A credential that the emulator accepts; with a `token`, requests must carry the same one. */
interface EmulatorCredential {
  readonly secretId: string;
  readonly secretKey: string;
  readonly token?: string;
}
//#endregion
//#region src/testing/kmsEmulator.d.ts
interface KmsEmulatorOptions {
  /** A free port unless given. */
  readonly port?: number;
  /** `127.0.0.1` unless given. */
  readonly host?: string;
  /** One fixed credential unless given. */
  readonly credentials?: readonly EmulatorCredential[];
  /** CMKs that exist at the start; one with the alias `fieldseal` unless given. */
  readonly keys?: readonly {
    readonly alias: string;
    readonly keyId?: string;
    readonly description?: string;
  }[];
  /** Requests per second and action; none unless given. */
  readonly limits?: Limits;
  /** How far a request's clock may be off, in seconds; 300 unless given. */
  readonly skew?: number;
  /** The emulator's clock, in milliseconds since the epoch; `Date.now` unless given. */
  readonly now?: () => number;
  /** Keeps the CMKs in this file, so that a later start has them again. */
  readonly stateFile?: string;
  /** Answers under `/_emulator/` to other processes, without a signature; `false` unless given. */
  readonly admin?: boolean;
}
/** What the SDK's client takes to reach the emulator. */
interface EmulatorClientConfig {
  readonly credential: EmulatorCredential;
  readonly region: string;
  readonly profile: {
    readonly httpProfile: {
      readonly protocol: 'http://';
      readonly endpoint: string;
      readonly reqTimeout: number;
      readonly agent: Agent;
    };
  };
}
/** A running emulator. */
interface KmsEmulator {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** `127.0.0.1:<port>`, as the SDK's `httpProfile.endpoint` takes it. */
  readonly endpoint: string;
  readonly port: number;
  /** The first credential. */
  readonly credential: EmulatorCredential;
  readonly credentials: readonly EmulatorCredential[];
  /** The id of the first CMK of the options. */
  readonly keyId: string;
  readonly keys: Cmks;
  readonly calls: Calls;
  readonly faults: Faults;
  /** For `new kms.v20190118.Client(…)`. `reqTimeout` is in seconds. Its agent keeps a proxy variable out of the way. */
  clientConfig(options?: {
    credential?: EmulatorCredential;
    reqTimeout?: number;
  }): EmulatorClientConfig;
  /** Cuts all connections and stops listening. */
  close(): Promise<void>;
}
/**
 * Starts an HTTP server that behaves like Tencent Cloud KMS, API 2019-01-18: for tests and development, with the
 * official SDK on the other side. Its keys are real, its safety is not: never give it data that matters.
 *
 * @throws FieldsealError `OPTIONS_INVALID` for options that cannot work; the system's error when the port is taken
 * @example
 * ```ts
 * import { kms } from 'tencentcloud-sdk-nodejs-kms'
 * import { tencentKms } from 'fieldseal/tencent-kms'
 * import { startKmsEmulator } from 'fieldseal/testing'
 *
 * const emulator = await startKmsEmulator()
 * const client = new kms.v20190118.Client(emulator.clientConfig())
 * const keys = tencentKms({ client, keyId: emulator.keyId })
 * emulator.faults.add({ kind: 'error', code: 'RequestLimitExceeded', times: 2 })
 * await emulator.close()
 * ```
 */
declare function startKmsEmulator(options?: KmsEmulatorOptions): Promise<KmsEmulator>;
//#endregion
//#region src/testing/memoryKeyStore.d.ts
/** How often each method of the store was called. */
interface KeyStoreCalls {
  findNewest: number;
  findByIds: number;
  insert: number;
  reserve: number;
  list: number;
  count: number;
  rewrap: number;
  destroy: number;
}
/** A `KeyStore` in memory, with what a test wants to see and to break. */
interface MemoryKeyStore extends KeyStore {
  /** Copies of the rows, in the order of their insertion. */
  readonly rows: readonly StoredKey[];
  readonly calls: KeyStoreCalls;
  /** Changes a row behind everyone's back, as raw SQL would. Throws when there is no row with this id. */
  tamper(id: string, change: Partial<StoredKey>): void;
  /** Deletes a row behind everyone's back. Throws when there is no row with this id. */
  remove(id: string): void;
  /** Breaks the next `times` calls (for ever unless told), until `repair()`. */
  fail(options?: {
    method?: keyof KeyStoreCalls;
    times?: number;
    error?: Error;
  }): void;
  repair(): void;
}
/**
 * A keys table in memory for tests. Every call takes a turn of the event loop, as a query does, so calls that are
 * started together interleave; `insert` and `reserve` themselves are atomic: of concurrent writers of one tenant,
 * purpose and version exactly one gets `true`. Several key rings may share one store, as several processes share one table.
 *
 * @example
 * ```ts
 * import { memoryKeyStore } from 'fieldseal/testing'
 *
 * const store = memoryKeyStore()
 * await store.findNewest('acme', 'encrypt') // null
 * store.calls.findNewest // 1
 * ```
 */
declare function memoryKeyStore(initial?: readonly StoredKey[], options?: {
  readonly now?: () => number;
}): MemoryKeyStore;
//#endregion
export { type Call, type Calls, type Cmk, type CmkState, type Cmks, type EmulatorClientConfig, type EmulatorCredential, type Fault, type FaultKind, type Faults, type KeyStoreCalls, type KmsEmulator, type KmsEmulatorOptions, type Limits, type MemoryKeyStore, memoryKeyStore, startKmsEmulator };