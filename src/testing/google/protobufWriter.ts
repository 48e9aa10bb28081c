/**
 * The few pieces of the protobuf wire format (https://protobuf.dev/programming-guides/encoding) that the details of an error
 * take: the SDK brings the messages of the KMS, but keeps those of `google.rpc` to itself.
 */

/** A field that holds text, bytes or a message. */
export function lengthDelimited(field: number, content: string | Buffer): Buffer {
  const bytes = Buffer.from(content)
  return Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes])
}

/** A field that holds a whole number from 0. */
export function integer(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let left = value
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) + 128)
  return Buffer.from([...bytes, left])
}
