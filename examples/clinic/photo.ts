import type { Random } from './random.js'

const SIDE = 16
const HEADER = 54

/** A passport photo, as far as 16 × 16 pixels allow: a symmetrical face in a Windows bitmap. */
export function inventPhoto(random: Random): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER + SIDE * SIDE * 3)
  writeHeader(new DataView(bytes.buffer))
  const colours = [random.digits(3), random.digits(3), '999'].map((text) =>
    [...text].map((digit) => Number(digit) * 28),
  )
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE / 2; column++) {
      const colour = random.pick(colours)
      bytes.set(colour, HEADER + (row * SIDE + column) * 3)
      bytes.set(colour, HEADER + (row * SIDE + SIDE - 1 - column) * 3)
    }
  }
  return bytes
}

function writeHeader(view: DataView): void {
  const [littleEndian, infoBytes, bitsPerPixel] = [true, 40, 24]
  view.setUint16(0, 0x4d42, littleEndian)
  view.setUint32(2, view.byteLength, littleEndian)
  view.setUint32(10, HEADER, littleEndian)
  view.setUint32(14, infoBytes, littleEndian)
  view.setInt32(18, SIDE, littleEndian)
  view.setInt32(22, SIDE, littleEndian)
  view.setUint16(26, 1, littleEndian)
  view.setUint16(28, bitsPerPixel, littleEndian)
}
