// @ts-check
/** The order of src: a layer imports from itself and from those before it. */
const LAYERS = [
  'own',
  'fieldName',
  'printable',
  'docs',
  'errors',
  'debug',
  'invalidOptions',
  'callArguments',
  'pooler',
  'tenancy',
  'crypto',
  'formerFormats',
  'leakage',
  'masks',
  'schema',
  'keys',
  'opentelemetry',
  'kms',
  'cipher',
  'plan',
  'maintenance',
  'client',
  'auditLog',
  'sql',
  'prisma',
  'typeorm',
  'cli',
  'bin',
]

const layer = (/** @type {string[]} */ names) => `^src/(${names.join('|')})(/|\\.ts$)`

const order = LAYERS.slice(0, -1).map((name, position) => ({
  name: `${name}-imports-no-later-layer`,
  severity: 'error',
  from: { path: layer([name]) },
  to: { path: layer(LAYERS.slice(position + 1)) },
}))

module.exports = {
  forbidden: [
    ...order,
    {
      name: 'kms-is-injected',
      comment: 'Applications choose a KMS and pass it in; they should not load the others.',
      severity: 'error',
      from: { path: layer(['cipher', 'plan', 'maintenance', 'client', 'sql', 'prisma', 'typeorm']) },
      to: { path: layer(['kms']) },
    },
    {
      name: 'orms-are-blind-to-each-other',
      comment: 'Who uses one should not load the other.',
      severity: 'error',
      from: { path: layer(['typeorm']) },
      to: { path: layer(['prisma']) },
    },
    {
      name: 'nothing-imports-an-entry-point',
      severity: 'error',
      from: {},
      to: { path: ['^src/index\\.ts$', '^src/.+/index\\.ts$'] },
    },
    {
      name: 'production-imports-no-testing',
      comment: 'The emulator’s command is part of the testing tools.',
      severity: 'error',
      from: { pathNot: '^src/(testing/|bin/kms-emulator\\.ts$)' },
      to: { path: '^src/testing/' },
    },
    {
      name: 'every-file-has-its-layer',
      severity: 'error',
      from: { path: '^src/', pathNot: [layer([...LAYERS, 'testing']), '^src/index\\.ts$'] },
      to: {},
    },
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'imports-resolve', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: { tsPreCompilationDeps: true, doNotFollow: { path: 'node_modules' } },
}
