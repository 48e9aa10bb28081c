require("./duration-C3QRX9XE.cjs");
const require_errors = require("./errors-BaUhUZ7f.cjs");
let cockatiel = require("cockatiel");
//#region src/keys/breaker.ts
/** Calls that fail one after another before no more are made. */
const FAILURES = 10;
const FIRST_PAUSE = 1e3;
const LONGEST_PAUSE = 3e4;
/**
* The same KMS, spared while it is down: after ten calls in a row without an answer, further ones fail at once, and one
* call after a pause, of one second at first and thirty at most, finds out whether it is back. Making and unwrapping
* keys are judged apart.
*/
function withBreaker(kms) {
	const [generates, unwraps] = [breaker(), breaker()];
	return {
		...kms,
		name: kms.name,
		generate: (identity) => guarded(generates, () => kms.generate(identity)),
		unwrap: (wrapped, identity) => guarded(unwraps, () => kms.unwrap(wrapped, identity))
	};
}
function breaker() {
	return (0, cockatiel.circuitBreaker)((0, cockatiel.handleWhen)((error) => require_errors.FieldsealError.is(error, "KMS_UNAVAILABLE")), {
		halfOpenAfter: new cockatiel.ExponentialBackoff({
			initialDelay: FIRST_PAUSE,
			maxDelay: LONGEST_PAUSE
		}),
		breaker: new cockatiel.ConsecutiveBreaker(FAILURES)
	});
}
async function guarded(policy, call) {
	try {
		return await policy.execute(call);
	} catch (error) {
		if (!(error instanceof cockatiel.BrokenCircuitError)) throw error;
		throw new require_errors.FieldsealError("KMS_UNAVAILABLE", `the KMS did not answer the last ${FAILURES} calls, so it is not asked now, and again within ${LONGEST_PAUSE / 1e3} s. Look at its status and the network`);
	}
}
//#endregion
Object.defineProperty(exports, "withBreaker", {
	enumerable: true,
	get: function() {
		return withBreaker;
	}
});
