/**
 * Sorting, on what keeps the order, as order-preserving and order-revealing encryption do (Naveed, Kamara and Wright,
 * CCS 2015; Grubbs and others, S&P 2017): the row at a quantile gets the known value at the same quantile. No index of
 * fieldseal shows this much; it is the measure for those that come near.
 *
 * @param known values of the same distribution, in order
 * @returns a guess for each row
 */
export function attackOrder(values: Float64Array, known: Float64Array): Float64Array {
  const guesses = new Float64Array(values.length)
  const order = Int32Array.from(values.keys()).sort((one, other) => values[one]! - values[other]!)
  for (const [rank, row] of order.entries()) {
    const quantile = (rank + 0.5) / values.length
    guesses[row] = known[Math.min(known.length - 1, Math.floor(quantile * known.length))]!
  }
  return guesses
}
