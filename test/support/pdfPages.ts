import { getDocument } from 'pdfjs-dist/legacy/build/pdf.mjs'

export interface PdfPage {
  /** In points. */
  readonly width: number
  readonly height: number
  /** Pieces of text from the top of the page to its end, with the distance of their base line from the upper edge. */
  readonly texts: readonly { readonly text: string; readonly x: number; readonly y: number; readonly width: number }[]
}

export async function pdfPages(pdf: Buffer): Promise<PdfPage[]> {
  const document = await getDocument({ data: new Uint8Array(pdf), verbosity: 0 }).promise
  const pages: PdfPage[] = []
  for (let number = 1; number <= document.numPages; number++) {
    const page = await document.getPage(number)
    const { width, height } = page.getViewport({ scale: 1 })
    const { items } = await page.getTextContent({ disableNormalization: false })
    const texts = items.flatMap((item) => {
      if (!('str' in item) || item.str.trim() === '') return []
      return [{ text: item.str, x: item.transform[4], y: height - item.transform[5], width: item.width }]
    })
    pages.push({ width, height, texts: texts.sort((one, other) => one.y - other.y || one.x - other.x) })
  }
  await document.destroy()
  return pages
}
