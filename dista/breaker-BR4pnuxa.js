import { t as FieldsealError } from "./errors-DjzEY_1A.js";
import { BrokenCircuitError, ConsecutiveBreaker, ExponentialBackoff, circuitBreaker, handleWhen } from "cockatiel";
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
	return circuitBreaker(handleWhen((error) => FieldsealError.is(error, "KMS_UNAVAILABLE")), {
		halfOpenAfter: new ExponentialBackoff({
			initialDelay: FIRST_PAUSE,
			maxDelay: LONGEST_PAUSE
		}),
		breaker: new ConsecutiveBreaker(FAILURES)
	});
}
async function guarded(policy, call) {
	try {
		return await policy.execute(call);
	} catch (error) {
		if (!(error instanceof BrokenCircuitError)) throw error;
		throw new FieldsealError("KMS_UNAVAILABLE", `the KMS did not answer the last ${FAILURES} calls, so it is not asked now, and again within ${LONGEST_PAUSE / 1e3} s. Look at its status and the network`);
	}
}
//#endregion
export { withBreaker as t };
