import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { IndexFigures } from '../../src/cli/advise/advice.js'
import type { AdvisedField } from '../../src/cli/advise/advisedField.js'
import { annotationOf } from '../../src/cli/advise/annotations.js'
import { type NumberLine, proposedLine } from '../../src/cli/advise/numberLine.js'
import { recommendations } from '../../src/cli/advise/recommendations.js'
import { type RangeKind, unitsOf } from '../../src/crypto/tokens/units.js'
import { skewOf } from '../../src/leakage/groups.js'
import { readDocumentation } from '../../src/prisma/schema/documentation.js'
import { rangeIndexOptions } from '../../src/prisma/schema/tokenIndexOptions.js'
import { boundsProblem, rangeBounds } from '../../src/schema/rangeBounds.js'

const field = (type: string, kind: AdvisedField['kind'], normalize: readonly string[] = []) =>
  ({ name: 'Model.field', field: 'field', type, kind, normalize }) as unknown as AdvisedField

/** Every value is where its cell is. */
function expectInPlace(line: NumberLine, values: readonly unknown[], numberOf: (value: unknown) => number): void {
  const { cells, values: numbers } = line.place(values)
  for (const [i, value] of values.entries()) {
    expect(numbers[i]).toBe(numberOf(value))
    const cell = cells[i]!
    expect(cell).toBeLessThanOrEqual(line.scale.last)
    expect(line.valueAt(cell)).toBeLessThanOrEqual(numbers[i]!)
    expect(line.valueAt(cell + 1)).toBeGreaterThan(numbers[i]!)
  }
}

describe('the scale that is proposed', () => {
  it('has a cell for every value, of one value each where that is possible, in 32 bits at most', () => {
    const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
    const at = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1_001 })
    const near = fc.tuple(at, fc.array(fc.nat(1_000), { minLength: 1 })).map(([at, all]) => all.map((one) => at + one))
    fc.assert(
      fc.property(fc.oneof(fc.array(int, { minLength: 1, maxLength: 30 }), near), (values) => {
        const line = proposedLine(field('Int', 'number'), values)
        expect(line.scale.bits).toBeLessThanOrEqual(32)
        expectInPlace(line, values, Number)
        const distinct = new Set(line.place(values).cells).size
        if (Math.max(...values) - Math.min(...values) < 2 ** 29) expect(distinct).toBe(new Set(values).size)
      }),
    )
  })

  it('holds any BigInt', () => {
    const big = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    fc.assert(
      fc.property(fc.array(big, { minLength: 1, maxLength: 20 }), (values) => {
        const line = proposedLine(field('BigInt', 'number'), values)
        expect(line.scale.bits).toBeLessThanOrEqual(32)
        expect([...line.place(values).cells].every((cell) => cell <= line.scale.last)).toBe(true)
      }),
    )
  })

  it.each([
    [[1815, 1852], '@rangeIndex(field, min: 0, max: 5000, step: 1, sparsity: 2)'],
    [[0], '@rangeIndex(field, min: 0, max: 10, step: 1, sparsity: 2)'],
    [[-40, 35], '@rangeIndex(field, min: -100, max: 100, step: 1, sparsity: 2)'],
    [[52_000, 61_500], '@rangeIndex(field, min: 0, max: 200000, step: 100, sparsity: 2)'],
  ])('of %j is %s', (values, annotation) => {
    const { options } = proposedLine(field('Int', 'number'), values)
    const figures = { index: 'range', options: { ...options, sparsity: 2 } } as unknown as IndexFigures
    expect(annotationOf(field('Int', 'number'), figures, 'schema')).toBe(annotation)
  })

  it('takes decimals of any client, and all of their places', () => {
    const decimal = { d: [12, 5_000_000], e: 1, s: -1, toFixed: () => '-12.5' }
    const line = proposedLine(field('Decimal', 'number'), [decimal, '0.25', '3'])
    expect(line.options).toMatchObject({ min: '-50', max: '10', step: '0.01', scale: 2 })
    expect([...line.place([decimal, '0.25', '3']).values]).toEqual([-12.5, 0.25, 3])
    expect(proposedLine(field('Decimal', 'number'), ['0']).options).toMatchObject({ max: '10', step: '1', scale: 0 })
  })

  it('counts times in the largest unit that fits', () => {
    const at = (...texts: string[]) =>
      proposedLine(
        field('DateTime', 'time'),
        texts.map((text) => new Date(text)),
      ).options
    expect(at('1990-05-01', '2001-01-31')).toEqual({ min: '"1990-01-01"', max: '"2030-01-01"', step: '"1d"' })
    expect(at('1990-05-01T10:00Z', '2001-01-31')).toMatchObject({ step: '"1h"' })
    expect(at('1990-05-01T10:00:00.123Z', '2001-01-31')).toMatchObject({ step: '"1s"' })
  })
})

describe('an annotation', () => {
  it('is written as users write it, of either ORM', () => {
    const text = field('String', 'text', ['trim', 'lowercase'])
    const figures = (index: 'blind' | 'text' | 'range', options: object) =>
      ({ index, options }) as unknown as IndexFigures
    const both = (one: IndexFigures) => [annotationOf(text, one, 'schema'), annotationOf(text, one, 'decorator')]
    expect(both(figures('blind', { bits: 16 }))).toEqual([
      '@blindIndex(field, bits: 16, normalize: [trim, lowercase])',
      "@BlindIndex('field', { bits: 16, normalize: ['trim', 'lowercase'] })",
    ])
    expect(both(figures('text', { prefix: [2, 4] }))).toEqual([
      '@textIndex(field, prefix: [2, 4], normalize: [trim, lowercase])',
      "@TextIndex('field', { prefix: [2, 4], normalize: ['trim', 'lowercase'] })",
    ])
    expect(both(figures('range', { min: '"1990-01-01"', step: '"1d"', sparsity: 2 }))).toEqual([
      '@rangeIndex(field, min: "1990-01-01", step: "1d", sparsity: 2)',
      "@RangeIndex('field', { min: '1990-01-01', step: '1d', sparsity: 2 })",
    ])
  })
})

describe('a range index that is proposed', () => {
  const time = fc.date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
  const days = fc.integer({ min: -20_000, max: 20_000 }).map((day) => new Date(day * 86_400_000))
  const some = <T>(value: fc.Arbitrary<T>) => fc.array(value, { minLength: 1, maxLength: 20 })
  const columns: fc.Arbitrary<readonly [RangeKind, AdvisedField['kind'], readonly unknown[]]> = fc.oneof(
    some(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })).map((all) => ['Int', 'number', all] as const),
    some(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n })).map((all) => ['BigInt', 'number', all] as const),
    some(fc.integer().map((cents) => String(cents / 100))).map((all) => ['Decimal', 'number', all] as const),
    some(fc.oneof(time, days)).map((all) => ['DateTime', 'time', all] as const),
  )

  it('is one that the schema takes, and that holds what is there', () => {
    fc.assert(
      fc.property(columns, ([type, kind, values]) => {
        const { options } = proposedLine(field(type, kind), values)
        const figures = { index: 'range', options: { ...options, sparsity: 2 } } as unknown as IndexFigures
        const { annotations, problems } = readDocumentation(annotationOf(field(type, kind), figures, 'schema')!)
        const reported = [...problems]
        const { range } = rangeIndexOptions(annotations[0]!, (problem) => reported.push(problem))
        const { min, max } = rangeBounds(range!, type)
        expect([...reported, boundsProblem(range!, type)]).toEqual([undefined])
        for (const value of values) {
          const { floor, isWhole } = unitsOf(type, value, range!.scale ?? 0)
          expect({ isWhole, isInside: floor >= BigInt(min) && floor <= BigInt(max) }).toEqual({
            isWhole: true,
            isInside: true,
          })
        }
      }),
    )
  })
})

describe('a recommendation', () => {
  const figures = (index: 'none' | 'blind', exactly: number): IndexFigures => ({
    ...{ index, options: {}, tokens: 1, largest: 1, exactly, nearly: null },
  })
  const verdictOf = (values: readonly number[], [none, blind]: readonly [number, number]) => {
    const measured = { field: field('String', 'text'), values: skewOf(values) }
    const indexes = [figures('none', none), figures('blind', blind)]
    return recommendations({ ...measured, indexes }, 'schema')[0]!.verdict
  }
  const many = Array.from({ length: 400 }, (_, i) => i >> 1)

  it('goes by how many more rows are guessed than without the index', () => {
    expect(verdictOf(many, [0.3, 0.35])).toBe('use')
    expect(verdictOf(many, [0.3, 0.36])).toBe('weigh')
    expect(verdictOf(many, [0.3, 0.56])).toBe('avoid')
  })

  it('is never for an index over few values, which is not the same as few rows', () => {
    expect(verdictOf([1, 2, 3, 1, 2, 3], [0.3, 0.3])).toBe('avoid')
    expect(verdictOf([1, 2, 3], [0.3, 0.3])).toBe('use')
    expect(verdictOf([1, 1, 1], [1, 1])).toBe('avoid')
  })
})
