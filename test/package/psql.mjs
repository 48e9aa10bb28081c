#!/usr/bin/env node
// Stands in for psql where a machine has none: `psql URL --command SQL`, and a table of what it answers.
import { createRequire } from 'node:module'

const pg = createRequire(`${process.cwd()}/`)('pg')
const [url, , sql] = process.argv.slice(2)
const client = new pg.Client({ connectionString: url })
await client.connect()
const { fields, rows } = await client.query({ text: sql, rowMode: 'array' })
await client.end()

const line = (cells) => ` ${cells.join(' | ')}`
console.log(line(fields.map(({ name }) => name)))
console.log(fields.map(() => '---').join('+'))
for (const row of rows) console.log(line(row))
console.log(`(${rows.length} row${rows.length === 1 ? '' : 's'})`)
