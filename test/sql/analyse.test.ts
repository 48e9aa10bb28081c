import { beforeAll, describe, expect, it } from '@jest/globals'
import { type AnalysisOptions, analyse } from '../../src/sql/analyse.js'
import { loadParser } from '../../src/sql/parser.js'
import { schemaCatalog } from '../../src/sql/schemaCatalog.js'
import { clinicSchema } from './support/clinicSchema.js'
import { plansOf, shown } from './support/encryptedStatements.js'

beforeAll(loadParser)

const catalog = schemaCatalog(clinicSchema, plansOf(clinicSchema))
const options: AnalysisOptions = { catalog, across: false }

/** Each statement, what is sent for it with the uses of its parameters in ‹›, and which results are decrypted. */
const SENT: readonly { readonly sql: string; readonly sent: string; readonly reads: readonly string[] }[] = [
  {
    sql: 'SELECT u."email" AS "u_email", u.id FROM "user" u WHERE u.email = $1 AND u.n > $2',
    sent: 'SELECT u."email" AS "u_email", u.id FROM "user" u WHERE u."emailIndex" = ‹search User.emailIndex $1› AND u.n > $2',
    reads: ['u_email = User.email'],
  },
  {
    sql: 'SELECT * FROM "user" WHERE email IN ($1, $2) OR $3 = email',
    sent: 'SELECT * FROM "user" WHERE "emailIndex" IN (‹search User.emailIndex $1›, ‹search User.emailIndex $2›) OR "emailIndex" = ‹search User.emailIndex $3›',
    reads: [
      'email = User.email',
      'notes = User.notes',
      'first = User.first',
      'last = User.last',
      'old = User.old',
      'city = User.city',
    ],
  },
  {
    sql: 'SELECT u.* FROM public."user" u WHERE NOT (u.email <> $1::text) AND email <> ALL($2) AND u.email = ANY($3)',
    sent: 'SELECT u.* FROM public."user" u WHERE NOT (u."emailIndex" <> ‹search User.emailIndex $1›) AND "emailIndex" <> ALL(‹search each User.emailIndex $2›) AND u."emailIndex" = ANY(‹search each User.emailIndex $3›)',
    reads: [
      'email = User.email',
      'notes = User.notes',
      'first = User.first',
      'last = User.last',
      'old = User.old',
      'city = User.city',
    ],
  },
  {
    sql: 'SELECT id FROM "user" u WHERE u.email = ANY ($1::text[]) OR email <> ALL($2::varchar[]) OR email IN ($3::text, $4)',
    sent: 'SELECT id FROM "user" u WHERE u."emailIndex" = ANY (‹search each User.emailIndex $1›) OR "emailIndex" <> ALL(‹search each User.emailIndex $2›) OR "emailIndex" IN (‹search User.emailIndex $3›, ‹search User.emailIndex $4›)',
    reads: [],
  },
  {
    sql: 'SELECT id FROM "user" u WHERE u.old = ANY($1::text[]) AND n = 1',
    sent: 'SELECT id FROM "user" u WHERE ((u."oldIndex" IS NOT NULL AND u."oldIndex" = ANY(‹search each User.oldIndex $1›)) OR (u."oldIndex" IS NULL AND u.old = ANY(‹plaintext each User.oldIndex $1›::text[]))) AND n = 1',
    reads: [],
  },
  {
    sql: 'SELECT id FROM "user" WHERE first = $1 AND last = $2 AND n = $1',
    sent: 'SELECT id FROM "user" WHERE "nameIndex" = ‹search User.nameIndex $1 $2› AND TRUE AND n = $1',
    reads: [],
  },
  {
    sql: 'SELECT id FROM "user" u WHERE u.old = $1',
    sent: 'SELECT id FROM "user" u WHERE ((u."oldIndex" IS NOT NULL AND u."oldIndex" IN (‹search User.oldIndex $1›)) OR (u."oldIndex" IS NULL AND u.old = ANY(‹plaintext User.oldIndex $1›::text[])))',
    reads: [],
  },
  {
    sql: 'SELECT id FROM "user" u WHERE u.old NOT IN ($1, $2)',
    sent: 'SELECT id FROM "user" u WHERE (NOT ((u."oldIndex" IS NOT NULL AND u."oldIndex" IN (‹search User.oldIndex $1›, ‹search User.oldIndex $2›)) OR (u."oldIndex" IS NULL AND u.old = ANY(‹plaintext User.oldIndex $1 $2›::text[]))))',
    reads: [],
  },
  {
    sql: 'SELECT id FROM "user" u WHERE u.old = ANY($1)',
    sent: 'SELECT id FROM "user" u WHERE ((u."oldIndex" IS NOT NULL AND u."oldIndex" = ANY(‹search each User.oldIndex $1›)) OR (u."oldIndex" IS NULL AND u.old = ANY(‹plaintext each User.oldIndex $1›::text[])))',
    reads: [],
  },
  {
    sql: 'SELECT id FROM "user" u WHERE u.city = $1',
    sent: 'SELECT "u"."city" AS "fieldseal 1", id FROM "user" u WHERE u."cityIndex" = ‹search User.cityIndex $1›',
    reads: ['fieldseal 1 = User.city', 'without fieldseal 1'],
  },
  {
    sql: 'SELECT pan FROM card',
    sent: 'SELECT "card"."id" AS "fieldseal 1", pan FROM card',
    reads: ['pan = Card.pan with fieldseal 1', 'without fieldseal 1'],
  },
  {
    sql: 'SELECT count(pan), count(*) FROM card WHERE pan IS NOT NULL',
    sent: 'SELECT count(pan), count(*) FROM card WHERE pan IS NOT NULL',
    reads: [],
  },
  {
    sql: 'SELECT x.p FROM (SELECT pan AS p FROM card) x',
    sent: 'SELECT "x"."fieldseal 1" AS "fieldseal 2", x.p FROM (SELECT "card"."id" AS "fieldseal 1", pan AS p FROM card) x',
    reads: ['p = Card.pan with fieldseal 2', 'without fieldseal 1', 'without fieldseal 2'],
  },
  {
    sql: 'WITH k AS (SELECT pan AS p FROM card) SELECT a.p, b.p AS q FROM k a, k b',
    sent: 'WITH k AS (SELECT "card"."id" AS "fieldseal 1", pan AS p FROM card) SELECT "a"."fieldseal 1" AS "fieldseal 2", "b"."fieldseal 1" AS "fieldseal 3", a.p, b.p AS q FROM k a, k b',
    reads: [
      'p = Card.pan with fieldseal 2',
      'q = Card.pan with fieldseal 3',
      'without fieldseal 1',
      'without fieldseal 2',
      'without fieldseal 3',
    ],
  },
  {
    sql: 'SELECT x.e FROM (SELECT email e FROM "user") x WHERE x.e = $1',
    sent: 'SELECT x.e FROM (SELECT "user"."emailIndex" AS "fieldseal 1", email e FROM "user") x WHERE x."fieldseal 1" = ‹search User.emailIndex $1›',
    reads: ['e = User.email', 'without fieldseal 1'],
  },
  {
    sql: 'SELECT email, id FROM "user" ORDER BY 2',
    sent: 'SELECT email, id FROM "user" ORDER BY 2',
    reads: ['email = User.email'],
  },
  {
    sql: 'INSERT INTO "user"("id", "email", n, "first", "last") VALUES ($1, $2, DEFAULT, $3, $4), ($5, DEFAULT, $6, NULL, $7) RETURNING "id", email',
    sent: 'INSERT INTO "user"("emailIndex", "nameIndex", "id", "email", n, "first", "last") VALUES (‹index User.emailIndex $2›, ‹index User.nameIndex $3 $4›, $1, ‹value User.email $2›, DEFAULT, ‹value User.first $3›, ‹value User.last $4›), (NULL, NULL, $5, DEFAULT, $6, NULL, ‹value User.last $7›) RETURNING "id", email',
    reads: ['email = User.email'],
  },
  {
    sql: 'INSERT INTO "user"(id, email) VALUES ($1, $2) ON CONFLICT ( "email" ) DO UPDATE SET "email" = EXCLUDED."email", n = EXCLUDED.n WHERE "user".n = $3',
    sent: 'INSERT INTO "user"("emailIndex", id, email) VALUES (‹index User.emailIndex $2›, $1, ‹value User.email $2›) ON CONFLICT ( "emailIndex" ) DO UPDATE SET "emailIndex" = EXCLUDED."emailIndex", "email" = EXCLUDED."email", n = EXCLUDED.n WHERE "user".n = $3',
    reads: [],
  },
  {
    sql: 'INSERT INTO card(id, pan) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET pan = EXCLUDED.pan RETURNING pan',
    sent: 'INSERT INTO card("panIndex", id, pan) VALUES (‹index Card.panIndex $2›, $1, ‹value Card.pan $2›) ON CONFLICT (id) DO UPDATE SET "panIndex" = EXCLUDED."panIndex", pan = EXCLUDED.pan RETURNING "card"."id" AS "fieldseal 1", pan',
    reads: ['pan = Card.pan with fieldseal 1', 'without fieldseal 1'],
  },
  {
    sql: 'UPDATE "user" SET "email" = $1, "n" = "n" + 1 WHERE "id" IN ($2) RETURNING old.email, new.email AS e2',
    sent: 'UPDATE "user" SET "emailIndex" = ‹index User.emailIndex $1›, "email" = ‹value User.email $1›, "n" = "n" + 1 WHERE "id" IN ($2) RETURNING old.email, new.email AS e2',
    reads: ['email = User.email', 'e2 = User.email'],
  },
  {
    sql: 'UPDATE "user" SET first = $1 WHERE id = $2',
    sent: 'UPDATE "user" SET "nameIndex" = ‹index User.nameIndex $1 undefined›, first = ‹value User.first $1› WHERE id = $2',
    reads: [],
  },
  {
    sql: 'UPDATE card SET pan = $1 WHERE id = $2 AND label = $3',
    sent: 'UPDATE card SET "panIndex" = ‹index Card.panIndex $1›, pan = ‹value Card.pan $1› WHERE id = $2 AND label = $3',
    reads: [],
  },
  {
    sql: 'UPDATE card SET pan = $1 WHERE label = $3',
    sent: 'UPDATE card SET "panIndex" = ‹index Card.panIndex $1›, pan = ‹value Card.pan $1› WHERE label = $3',
    reads: [],
  },
  {
    sql: 'UPDATE card SET id = $1, pan = NULL WHERE id = $2',
    sent: 'UPDATE card SET id = $1, "panIndex" = NULL, pan = NULL WHERE id = $2',
    reads: [],
  },
  {
    sql: 'UPDATE "user" SET "tenantId" = $1 WHERE id = $2',
    sent: 'UPDATE "user" SET "tenantId" = CASE WHEN 1 / CASE WHEN "user"."tenantId" = $1 THEN 1 ELSE 0 END = 1 THEN $1 END WHERE id = $2',
    reads: [],
  },
  {
    sql: 'UPDATE "user" u SET email = $1 FROM post p WHERE p."userId" = u.id AND u.email = $2',
    sent: 'UPDATE "user" u SET "emailIndex" = ‹index User.emailIndex $1›, email = ‹value User.email $1› FROM post p WHERE p."userId" = u.id AND u."emailIndex" = ‹search User.emailIndex $2›',
    reads: [],
  },
  {
    sql: 'DELETE FROM "user" USING post WHERE post."userId" = "user".id AND "user".email = $1 RETURNING "user".*',
    sent: 'DELETE FROM "user" USING post WHERE post."userId" = "user".id AND "user"."emailIndex" = ‹search User.emailIndex $1› RETURNING "user".*',
    reads: [
      'email = User.email',
      'notes = User.notes',
      'first = User.first',
      'last = User.last',
      'old = User.old',
      'city = User.city',
    ],
  },
  {
    sql: 'SELECT count(email) FILTER (WHERE email = $2 AND n >= $1) c FROM "user"',
    sent: 'SELECT count(email) FILTER (WHERE "emailIndex" = ‹search User.emailIndex $2› AND n >= $1) c FROM "user"',
    reads: [],
  },
  {
    sql: 'SELECT q.z, u.* FROM public."user" u, LATERAL (SELECT u.email AS z) q WHERE $1 = u.email',
    sent: 'SELECT q.z, u.* FROM public."user" u, LATERAL (SELECT u.email AS z) q WHERE u."emailIndex" = ‹search User.emailIndex $1›',
    reads: [
      'z = User.email',
      'email = User.email',
      'notes = User.notes',
      'first = User.first',
      'last = User.last',
      'old = User.old',
      'city = User.city',
    ],
  },
  {
    sql: 'SELECT s.m FROM (SELECT email m, id FROM "user") s WHERE EXISTS (SELECT 1 FROM "user" w WHERE w.id = s.id AND w.email IN ($1, $2)) ORDER BY s.id',
    sent: 'SELECT s.m FROM (SELECT email m, id FROM "user") s WHERE EXISTS (SELECT 1 FROM "user" w WHERE w.id = s.id AND w."emailIndex" IN (‹search User.emailIndex $1›, ‹search User.emailIndex $2›)) ORDER BY s.id',
    reads: ['m = User.email'],
  },
  {
    sql: 'SELECT u.email, count(p.id) AS email2 FROM "user" u LEFT JOIN post p ON p."userId" = u.id GROUP BY u.id ORDER BY count(p.id)',
    sent: 'SELECT u.email, count(p.id) AS email2 FROM "user" u LEFT JOIN post p ON p."userId" = u.id GROUP BY u.id ORDER BY count(p.id)',
    reads: ['email = User.email'],
  },
  {
    sql: 'SELECT id FROM "user" WHERE id IN (SELECT "userId" FROM post WHERE "userId" = $1)',
    sent: 'SELECT id FROM "user" WHERE id IN (SELECT "userId" FROM post WHERE "userId" = $1)',
    reads: [],
  },
  {
    sql: 'WITH w AS (UPDATE "user" SET email = $1 WHERE id = $2 RETURNING email, id) SELECT * FROM w',
    sent: 'WITH w AS (UPDATE "user" SET "emailIndex" = ‹index User.emailIndex $1›, email = ‹value User.email $1› WHERE id = $2 RETURNING email, id) SELECT * FROM w',
    reads: ['email = User.email'],
  },
  {
    sql: 'UPDATE "user" SET (n, email, "tenantId") = ($1, $2::text, $3), (first, last) = ROW($4, NULL), (plain) = ROW(DEFAULT) WHERE id = $5',
    sent: 'UPDATE "user" SET "emailIndex" = ‹index User.emailIndex $2›, (n, email, "tenantId") = ($1, ‹value User.email $2›, CASE WHEN 1 / CASE WHEN "user"."tenantId" = $3 THEN 1 ELSE 0 END = 1 THEN $3 END), "nameIndex" = NULL, (first, last) = ROW(‹value User.first $4›, NULL), (plain) = ROW(DEFAULT) WHERE id = $5',
    reads: [],
  },
  {
    sql: 'UPDATE "user" u SET (n, plain) = (SELECT p.id, $1 FROM post p WHERE p."userId" = u.id), (email) = ROW(DEFAULT)',
    sent: 'UPDATE "user" u SET (n, plain) = (SELECT p.id, $1 FROM post p WHERE p."userId" = u.id), "emailIndex" = NULL, (email) = ROW(DEFAULT)',
    reads: [],
  },
  {
    sql: 'INSERT INTO "user"(id, email) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET (n, email) = (1, EXCLUDED.email)',
    sent: 'INSERT INTO "user"("emailIndex", id, email) VALUES (‹index User.emailIndex $2›, $1, ‹value User.email $2›) ON CONFLICT (id) DO UPDATE SET "emailIndex" = EXCLUDED."emailIndex", (n, email) = (1, EXCLUDED.email)',
    reads: [],
  },
  {
    sql: 'UPDATE "user" SET email = $1::text WHERE n = $2::int',
    sent: 'UPDATE "user" SET "emailIndex" = ‹index User.emailIndex $1›, email = ‹value User.email $1› WHERE n = $2::int',
    reads: [],
  },
  {
    sql: 'INSERT INTO card(id, pan) VALUES ($1::uuid, $2::text), ($3, $4::varchar)',
    sent: 'INSERT INTO card("panIndex", id, pan) VALUES (‹index Card.panIndex $2›, $1::uuid, ‹value Card.pan $2›), (‹index Card.panIndex $4›, $3, ‹value Card.pan $4›)',
    reads: [],
  },
  {
    sql: 'WITH w AS (INSERT INTO card(id, pan) VALUES ($1, $2) RETURNING pan) SELECT pan FROM w',
    sent: 'WITH w AS (INSERT INTO card("panIndex", id, pan) VALUES (‹index Card.panIndex $2›, $1, ‹value Card.pan $2›) RETURNING "card"."id" AS "fieldseal 1", pan) SELECT "w"."fieldseal 1" AS "fieldseal 2", pan FROM w',
    reads: ['pan = Card.pan with fieldseal 2', 'without fieldseal 1', 'without fieldseal 2'],
  },
  {
    sql: 'SELECT "distinctAlias"."u_id" AS "ids_u_id" FROM (SELECT u.id AS "u_id", u.email AS "u_email" FROM "user" u WHERE u.email = $1) "distinctAlias" ORDER BY "u_id" ASC LIMIT 1',
    sent: 'SELECT "distinctAlias"."u_id" AS "ids_u_id" FROM (SELECT u.id AS "u_id", u.email AS "u_email" FROM "user" u WHERE u."emailIndex" = ‹search User.emailIndex $1›) "distinctAlias" ORDER BY "u_id" ASC LIMIT 1',
    reads: [],
  },
  {
    sql: 'SELECT u.id FROM "user" u LEFT JOIN post p ON p."userId" = u.id AND p.body IS NULL AND u.email = $1 FOR UPDATE OF u',
    sent: 'SELECT u.id FROM "user" u LEFT JOIN post p ON p."userId" = u.id AND p.body IS NULL AND u."emailIndex" = ‹search User.emailIndex $1› FOR UPDATE OF u',
    reads: [],
  },
  {
    sql: 'SELECT * FROM "user" WHERE "emailIndex" = $1',
    sent: 'SELECT * FROM "user" WHERE "emailIndex" = $1',
    reads: [
      'email = User.email',
      'notes = User.notes',
      'first = User.first',
      'last = User.last',
      'old = User.old',
      'city = User.city',
    ],
  },
  {
    sql: 'SELECT CASE WHEN email IS NULL THEN 1 ELSE 0 END c FROM "user"',
    sent: 'SELECT CASE WHEN email IS NULL THEN 1 ELSE 0 END c FROM "user"',
    reads: [],
  },
  {
    sql: 'SELECT é."email" FROM "user" é WHERE é."plain" = \'ü\' AND é.email = $1',
    sent: 'SELECT é."email" FROM "user" é WHERE é."plain" = \'ü\' AND é."emailIndex" = ‹search User.emailIndex $1›',
    reads: ['email = User.email'],
  },
  {
    sql: 'SELECT id FROM "user" u WHERE EXISTS (SELECT 1 FROM audit a WHERE u.email = $1 AND a.id = u.id)',
    sent: 'SELECT id FROM "user" u WHERE EXISTS (SELECT 1 FROM audit a WHERE u."emailIndex" = ‹search User.emailIndex $1› AND a.id = u.id)',
    reads: [],
  },
  {
    sql: 'SELECT id FROM "user" WHERE email OPERATOR(pg_catalog.=) $1',
    sent: 'SELECT id FROM "user" WHERE "emailIndex" = ‹search User.emailIndex $1›',
    reads: [],
  },
  {
    sql: 'SELECT x.* FROM (SELECT id, pan FROM card) x WHERE pan = $1',
    sent: 'SELECT x.* FROM (SELECT "card"."panIndex" AS "fieldseal 1", id, pan FROM card) x WHERE "fieldseal 1" = ‹search Card.panIndex $1›',
    reads: ['pan = Card.pan with id', 'without fieldseal 1'],
  },
  {
    sql: 'SELECT * FROM (SELECT * FROM "user") x, (SELECT 1 AS one) y WHERE email = $1',
    sent: 'SELECT * FROM (SELECT * FROM "user") x, (SELECT 1 AS one) y WHERE "emailIndex" = ‹search User.emailIndex $1›',
    reads: [
      'email = User.email',
      'notes = User.notes',
      'first = User.first',
      'last = User.last',
      'old = User.old',
      'city = User.city',
    ],
  },
]

const SORTED = 'order, group or compare the rows after reading them, or use a plain column'
const COMPUTED = 'select the column itself and compute in your code; count(column) and IS NULL are answered'

const REFUSED: readonly (readonly [sql: string, reason: string])[] = [
  ...['ORDER BY', 'GROUP BY'].flatMap((clause) =>
    ['u.email', 'email', 'm', '1'].map((what): [string, string] => [
      `SELECT u.email AS m FROM "user" u ${clause} ${what}`,
      `User.email is encrypted, so ${clause} has no right answer on it; ${SORTED}`,
    ]),
  ),
  ['SELECT id FROM "user" u ORDER BY u.email DESC', `so ORDER BY has no right answer on it; ${SORTED}`],
  ['SELECT DISTINCT ON (u.email) id FROM "user" u', `so DISTINCT ON has no right answer on it; ${SORTED}`],
  ['SELECT rank() OVER (ORDER BY email) FROM "user"', `so ORDER BY has no right answer on it; ${SORTED}`],
  ['SELECT rank() OVER (PARTITION BY email) FROM "user"', `so PARTITION BY has no right answer on it; ${SORTED}`],
  ['SELECT rank() OVER w FROM "user" WINDOW w AS (PARTITION BY email)', `so PARTITION BY has no right answer on it`],
  [`SELECT string_agg(plain, ',' ORDER BY email) FROM "user"`, `so ORDER BY has no right answer on it; ${SORTED}`],
  ['SELECT max(u.email) FROM "user" u', `User.email is encrypted, so max() has no right answer on it; ${COMPUTED}`],
  ['SELECT count(DISTINCT email) FROM "user"', `so count(DISTINCT) has no right answer on it; ${COMPUTED}`],
  ['SELECT id FROM "user" WHERE lower(email) = $1', `so lower() has no right answer on it; ${COMPUTED}`],
  [
    'SELECT DISTINCT email FROM "user"',
    'SELECT DISTINCT cannot give User.email, which is encrypted: equal values have different ciphertexts; leave the column out',
  ],
  ['SELECT email FROM "user" UNION SELECT plain FROM "user"', 'send the queries apart, and put their rows together'],
  ['SELECT id FROM "user" WHERE plain IN (SELECT email FROM "user")', 'join the table by a plain column, or compare'],
  ['INSERT INTO post(id) SELECT email FROM "user"', 'read the rows, and insert them with their values as parameters'],
  [
    'UPDATE "user" SET (n, email) = ($1, lower($2))',
    'User.email is encrypted, so an SQL expression cannot be its value',
  ],
  [
    'UPDATE "user" SET (n, email) = (SELECT 1, $1)',
    'User.email is encrypted, so an SQL expression cannot be its value',
  ],
  [
    'UPDATE "user" SET (email, n) = (SELECT $1, 1)',
    'User.email is encrypted, so an SQL expression cannot be its value',
  ],
  ['UPDATE "user" SET (n, plain) = (SELECT 1, email FROM "user")', 'User.email'],
  ['UPDATE "user" u SET (n, plain) = ROW(u.*)', 'User.email'],
  ['UPDATE "user" SET (n, "emailIndex") = ($1, $2)', 'User.emailIndex is a blind index'],
  ['SELECT count(DISTINCT (first, email)) FROM "user"', 'User.first'],
  ['WITH c AS (SELECT id, email FROM "user") SELECT count(DISTINCT (a.id, b.email)) FROM c a, c b', 'User.email'],
  ['SELECT count(DISTINCT (id, email)) FROM (SELECT n AS id, email FROM "user") u', 'User.email'],
  ['UPDATE "user" SET (n, "tenantId") = ($1, lower($2))', '"user"."tenantId" tells whose the row is'],
  [
    'SELECT id FROM "user" WHERE email = ANY($1::bigint[])',
    'User.email is encrypted, and what "=" compares it with is found by its index, for which a cast to bigint[] has no meaning: write the parameter alone ($1) or as $1::text[], and give an array of values as User.email holds them',
  ],
  [
    'SELECT id FROM "user" WHERE email IN ($1, $2::int)',
    'a cast to int has no meaning: write the parameter alone ($1) or as $1::text, and give the value as User.email holds it',
  ],
  ['SELECT id FROM "user" WHERE email = $1::text[]', 'a cast to text[] has no meaning'],
  ['SELECT id FROM "user" WHERE email = ANY($1::text)', 'a cast to text has no meaning'],
  [
    'UPDATE "user" SET email = $1::bigint',
    'User.email is encrypted, so a cast of its value to bigint has no meaning: write the parameter alone ($1) or as $1::text, and give the value as User.email holds it',
  ],
  [
    'INSERT INTO "user"("tenantId", email) VALUES (lower($1), $2)',
    '"user"."tenantId" tells whose the row is: give it as a parameter, or leave it out',
  ],
  [
    'INSERT INTO "user"("tenantId", email) VALUES ($1::name, $2)',
    '"user"."tenantId" tells whose the row is: give it as a parameter, or leave it out',
  ],
  [
    'SELECT id FROM "user" WHERE NOT (first = $1 AND last = $2)',
    'User.first and User.last are searched through User.nameIndex',
  ],
  ['SELECT id FROM "user" u WHERE u.city = $1 LIMIT 1', 'User.city is searched through User.cityIndex'],
  ['SELECT id FROM "user" u WHERE u.city = $1 OR n = 1', 'User.city is searched through User.cityIndex'],
  ['SELECT pan FROM card ORDER BY 1', 'Card.pan is encrypted'],
  [
    'INSERT INTO card(id, pan) VALUES ($1, $2) ON CONFLICT (label) DO UPDATE SET pan = EXCLUDED.pan',
    'Card.pan is bound to id',
  ],
  ['INSERT INTO "user"(email, "emailIndex") VALUES ($1, $2)', 'User.emailIndex is a blind index'],
  ['INSERT INTO "user"(email) SELECT plain FROM "user"', 'User.email is encrypted'],
  ['UPDATE "user" SET plain = email', 'User.email is encrypted'],
  ['SELECT u.row_to_json FROM "user" u', '"u"."row_to_json" may be a function of the whole row'],
  ['SELECT u FROM "user" u', 'the whole row "u" holds User.email'],
  ['SELECT (u).email FROM "user" u', 'the whole row "u" holds User.email'],
  ['SELECT email(u) FROM "user" u', 'the whole row "u" holds User.email'],
  ['SELECT row_to_json(u) FROM "user" u', 'the whole row "u" holds User.email'],
  ['SELECT count(u.*) FROM "user" u', 'the whole row "u" holds User.email'],
  ['SELECT email::text FROM "user"', 'User.email is encrypted'],
  ['SELECT a.id FROM "user" a JOIN "user" b USING (email)', 'User.email is encrypted'],
  ['SELECT a.id FROM "user" a NATURAL JOIN post', 'a join with "a"'],
  ['SELECT id FROM "user" WHERE (email, n) = ($1, 1)', 'User.email is encrypted'],
  ['SELECT id FROM "user" WHERE email IS DISTINCT FROM $1', 'User.email is encrypted'],
  ['SELECT id FROM "user" WHERE email ILIKE $1', 'User.email is encrypted'],
  ['SELECT id FROM "user" WHERE email = \'a\'', 'User.email is encrypted'],
  ['SELECT email m FROM "user" GROUP BY m', 'User.email is encrypted'],
  ['SELECT id, email FROM "user" GROUP BY 1, 2', 'User.email is encrypted'],
  ['SELECT DISTINCT ON (m) email m FROM "user"', 'User.email is encrypted'],
  ['SELECT DISTINCT email FROM "user"', 'SELECT DISTINCT cannot give User.email'],
  ['SELECT count(DISTINCT email) FROM "user"', 'User.email is encrypted'],
  ['SELECT email FROM "user" UNION SELECT body FROM post', 'UNION'],
  [
    'SELECT id FROM "user" WHERE plain IN (SELECT email FROM "user")',
    'a subquery in an expression cannot give User.email',
  ],
  [
    'MERGE INTO "user" u USING post p ON u.email = p.body WHEN MATCHED THEN DO NOTHING',
    'Merge on the table of User.email',
  ],
  ['COPY "user" TO STDOUT', 'Copy on the table of User.email'],
  ['CREATE TABLE z AS SELECT * FROM "user"', 'CreateTableAs on the table of User.email'],
  ['EXPLAIN SELECT * FROM "user"', 'Explain on the table of User.email'],
  ['SELECT 1; SELECT * FROM "user"', 'several statements in one query'],
  ['SELECT garbage garbage FROM "user" ((', "the statement cannot be read as PostgreSQL's SQL"],
  ['SELECT max(email) OVER () FROM "user"', 'User.email is encrypted'],
  [
    'SELECT id FROM "user" u WHERE $1 = ANY(SELECT email FROM "user")',
    'a subquery in an expression cannot give User.email',
  ],
  [
    'SELECT id FROM "user" u WHERE EXISTS (SELECT 1 FROM audit WHERE email = $1)',
    '"email" may be the encrypted column of "u" around the subquery',
  ],
  ['SELECT email m FROM "user" GROUP BY ROLLUP(m)', 'User.email is encrypted'],
  ['SELECT id FROM "user" WHERE email OPERATOR(x.=) $1', 'User.email is encrypted'],
  ['DELETE FROM "user" WHERE city = $1', 'User.city is searched through User.cityIndex'],
]

/** Statements that neither read nor write values. */
const UNTOUCHED = [
  'CREATE VIEW v AS SELECT id, email FROM "user"',
  'ALTER TABLE "user" ADD COLUMN age integer',
  'TRUNCATE "user"',
  'LOCK TABLE "user"',
  'START TRANSACTION',
  'SELECT * FROM other WHERE x = $1',
]

describe('analyse', () => {
  it.each([
    ['INSERT INTO card(id, pan) VALUES ($1::uuid, $2)', true],
    ['INSERT INTO card(id, pan) VALUES ($1::uuid::text, $2)', true],
    ['INSERT INTO card(id, pan) VALUES ($1::int::text, $2)', false],
    ['INSERT INTO card(id, pan) VALUES ($1::"char", $2)', false],
    ['INSERT INTO card(id, pan) VALUES ($1::mine.uuid, $2)', false],
    ['UPDATE card SET pan = $2 WHERE id = $1::uuid', true],
    ['UPDATE card SET pan = $2 WHERE id OPERATOR(pg_catalog.=) $1', true],
    ['UPDATE card SET pan = $2 WHERE id OPERATOR(mine.=) $1', false],
    ['UPDATE card SET pan = $2 WHERE id = $1::name', false],
  ])('knows what a value is bound to, unless a cast or an operator makes another of it: %s', (sql, isKnown) => {
    const [row] = analyse(sql, options)!.rows
    expect(row!.written.has('id') || row!.stored.has('id')).toBe(isKnown)
  })

  it.each(SENT)('rewrites a statement that has a right answer: $sql', ({ sql, sent, reads }) => {
    expect(shown(analyse(sql, options)!)).toEqual({ sql: sent, reads })
  })

  it.each(REFUSED)('refuses a statement that has none: %s', (sql, reason) => {
    expect(() => analyse(sql, options)).toThrow(expect.objectContaining({ code: 'QUERY_UNSUPPORTED' }))
    expect(() => analyse(sql, options)).toThrow(reason)
  })

  it.each(UNTOUCHED)('leaves a statement alone that reads and writes no value: %s', (sql) => {
    expect(analyse(sql, options)).toBeUndefined()
  })

  it('adds the tenant column where rows of all tenants may be read', () => {
    const plan = analyse('SELECT email FROM "user"', { catalog, across: true })!
    expect(shown(plan)).toEqual({
      sql: 'SELECT "user"."tenantId" AS "fieldseal 1", email FROM "user"',
      reads: ['email = User.email with fieldseal 1', 'without fieldseal 1'],
    })
  })

  it('knows whose rows are searched by the tenant column beside the search', () => {
    const plan = analyse('SELECT "tenantId", email FROM "user" WHERE "tenantId" = $1 AND email = $2', options)!
    expect(plan.rows.map(({ stored }) => [...stored])).toEqual([[['tenantId', { param: 1 }]]])
  })

  it('finds an encrypted table also where its name is spelt with escapes', () => {
    expect(shown(analyse('SELECT email FROM U&"\\0075ser"', options)!).reads).toEqual(['email = User.email'])
  })
})
