import { insert, textLiteral } from '../sql-text.js';
import { theme } from '../step.js';

const CONTROLS = Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)).join('');

/** MySQL refuses documents nested deeper than 100. */
const DEEP_ARRAY = '['.repeat(99) + '1.10' + ']'.repeat(99);
const DEEP_OBJECT = '{"a":'.repeat(99) + '"x"' + '}'.repeat(99);

/** Written as JSON text, so the server chooses the types: integers, doubles, strings, containers. */
const DOCUMENTS: readonly string[] = [
  'null',
  'true',
  'false',
  '0',
  '-1',
  '""',
  '[]',
  '{}',
  '[[], {}, [null], {"": {}}]',
  '1.10',
  '1.0',
  '-0.0',
  '-0',
  '0.1',
  '1e0',
  '1E+2',
  '1e-7',
  '1.5e300',
  '-2.2250738585072014e-308',
  '5e-324',
  '1.7976931348623157e308',
  '9223372036854775807',
  '-9223372036854775808',
  '9223372036854775808',
  '18446744073709551615',
  '18446744073709551616',
  '123456789012345678901234567890',
  '-9223372036854775809',
  '0.30000000000000004',
  '3.141592653589793238462643383279502884197',
  '100000000000000000000000.0',
  '1e22',
  '1e15',
  '1e16',
  '[1, 1.0, 1.00, 1e0, "1", true, null]',
  JSON.stringify(CONTROLS),
  JSON.stringify({ [CONTROLS]: CONTROLS }),
  JSON.stringify('"\\/\b\f\n\r\t\u007f\u2028\u2029'),
  String.raw`"\u0000\u001f\ud83d\ude00\u00e9\/"`,
  JSON.stringify({
    '': 1,
    ' ': 2,
    "it's": 3,
    '"q"': 4,
    'a.b': 5,
    $: 6,
    '$.x[0]': 7,
    '\\': 8,
    '😀': 9,
    Ж: 10,
    null: null,
  }),
  JSON.stringify({
    'a\nb': ';\n',
    '-- c': '/* d */',
    '`': "'",
    '%s': '${x}',
    __proto__x: 1,
    constructor: 2,
  }),
  '{"b": 1, "a": 2, "bb": 3, "aa": 4, "": 5, "c": {"z": [1, {"y": [2, {"x": 3}]}]}}',
  '{"dup": 1, "dup": 2.50}',
  DEEP_ARRAY,
  DEEP_OBJECT,
  JSON.stringify(Array.from({ length: 300 }, (_, index) => index * 1000)),
  JSON.stringify(
    Object.fromEntries(
      Array.from({ length: 300 }, (_, index) => [`key${index}`, 'v'.repeat(index)]),
    ),
  ),
  `"${'x'.repeat(70_000)}"`,
  JSON.stringify(['é'.repeat(200), '中'.repeat(40_000)]),
];

/** Values whose types no JSON text can say: they come from SQL expressions. */
const TYPED: readonly string[] = [
  'CAST(1.10 AS JSON)',
  'CAST(CAST(1 AS DECIMAL(20,10)) AS JSON)',
  'CAST(-0.000000000000000000000000000001 AS JSON)',
  'JSON_OBJECT("d", CAST(99999999999999999999999999999999999.999999999999999999999999999999 AS DECIMAL(65,30)))',
  'JSON_ARRAY(1.10, 1.1e0, 1, "1.10", 2.00, -0e0)',
  'JSON_OBJECT("a", JSON_OBJECT("b.c", JSON_ARRAY(0, 1.50), "", 2.50, "\\"", 3.50, "it\'s", 4.50, "😀", 5.50))',
  'JSON_ARRAY(123456789012345678901234567890, 18446744073709551616, -9223372036854775809)',
];

/** As above, for types that JSON text shows as something else: a date as a string, bytes as base64. */
const OPAQUE: readonly string[] = [
  'CAST(CAST(1 AS UNSIGNED) AS JSON)',
  'JSON_ARRAY(CAST(3 AS DECIMAL(5,0)), 3)',
  'JSON_ARRAY(CAST(5 AS UNSIGNED), 5)',
  "CAST(DATE '2024-02-29' AS JSON)",
  "CAST(TIME '-12:34:56.789' AS JSON)",
  "CAST(TIMESTAMP '2024-02-29 12:34:56.123456' AS JSON)",
  "JSON_OBJECT('d', DATE '2024-02-29', 's', '2024-02-29', 't', TIME '00:00:00')",
  'JSON_ARRAY(CAST(0x00ff275c0a AS BINARY))',
  "JSON_OBJECT('bits', b'101', 'blob', _binary 'x')",
  'JSON_ARRAY(CAST(2155 AS YEAR))',
  "JSON_ARRAY(ST_GeomFromText('POINT(1 2)'))",
];

/** JSON columns with every odd number, key, control character and depth that MySQL stores. */
export const json = theme('json', [
  'CREATE TABLE json_documents (id INT AUTO_INCREMENT PRIMARY KEY, j JSON)',
  insert(
    'json_documents',
    ['j'],
    [...DOCUMENTS.map((document) => [textLiteral(document)]), ['NULL']],
  ),
  'CREATE TABLE json_decimals (id INT AUTO_INCREMENT PRIMARY KEY, j JSON NOT NULL)',
  insert(
    'json_decimals',
    ['j'],
    TYPED.map((expression) => [expression]),
  ),
  `CREATE TABLE json_defaults (id INT PRIMARY KEY, j JSON DEFAULT (JSON_OBJECT('k', 1.10, 'a', JSON_ARRAY())),
    n JSON, k VARCHAR(20) GENERATED ALWAYS AS (j->>'$.k') VIRTUAL, CHECK (JSON_VALID(n)))`,
  `INSERT INTO json_defaults (id, n) VALUES (1, '1.10'), (2, NULL), (3, 'null')`,
  // Updated in place: the document keeps free space inside, which a copy has no need of.
  "UPDATE json_documents SET j = JSON_SET(j, '$.key299', 'short', '$.key5', 'x') WHERE JSON_EXTRACT(j, '$.key299') IS NOT NULL",
]);

/**
 * JSON values of types that have no JSON text of their own (dates, times, bytes, unsigned small
 * integers). A theme of its own, as `mysqldump` and every dump that writes plain text changes them.
 */
export const jsonOpaque = theme('json-opaque', [
  'CREATE TABLE json_opaque (id INT AUTO_INCREMENT PRIMARY KEY, j JSON)',
  insert(
    'json_opaque',
    ['j'],
    OPAQUE.map((expression) => [expression]),
  ),
]);
