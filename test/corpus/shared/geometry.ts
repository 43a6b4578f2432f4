import { insert } from '../sql-text.js';
import { theme, type CorpusTheme } from '../step.js';

const SHAPES: readonly string[] = [
  'POINT(0 0)',
  'POINT(-1.5 2.25)',
  'POINT(1e308 -1e308)',
  'POINT(5e-324 -0)',
  'POINT(0.1 0.30000000000000004)',
  'LINESTRING(0 0, 1 1, 2 0)',
  'LINESTRING(0 0, 0 0)',
  'POLYGON((0 0, 10 0, 10 10, 0 10, 0 0))',
  'POLYGON((0 0, 10 0, 10 10, 0 10, 0 0), (2 2, 2 4, 4 4, 4 2, 2 2))',
  'MULTIPOINT(0 0, 1 1)',
  'MULTILINESTRING((0 0, 1 1), (2 2, 3 3, 4 4))',
  'MULTIPOLYGON(((0 0, 1 0, 1 1, 0 1, 0 0)), ((5 5, 6 5, 6 6, 5 6, 5 5)))',
  'GEOMETRYCOLLECTION(POINT(1 2), LINESTRING(0 0, 1 1))',
  'GEOMETRYCOLLECTION EMPTY',
  'GEOMETRYCOLLECTION(GEOMETRYCOLLECTION(POINT(1 2)), POLYGON((0 0, 1 0, 1 1, 0 0)))',
];

/** Latitude first in MySQL's 4326; all within range whichever axis comes first. */
const ON_EARTH: readonly string[] = [
  'POINT(52.5 13.4)',
  'POINT(-90 0)',
  'POINT(0 -0)',
  'LINESTRING(0 0, 45.5 45.5)',
  'POLYGON((0 0, 0 1, 1 1, 1 0, 0 0))',
  'GEOMETRYCOLLECTION(POINT(10 20))',
];

/**
 * Every geometry subtype with SRID 0 and 4326, empty collections, extreme coordinates.
 * @param sridColumn MySQL alone can bind a column to an SRID (and needs that to use its index).
 */
export function geometry(sridColumn: string): CorpusTheme {
  return theme('geometry', [
    'CREATE TABLE geometries (id INT AUTO_INCREMENT PRIMARY KEY, g GEOMETRY)',
    insert(
      'geometries',
      ['g'],
      [
        ...SHAPES.map((shape) => [`ST_GeomFromText('${shape}')`]),
        ...SHAPES.slice(0, 2).map((shape) => [`ST_GeomFromText('${shape}', 3857)`]),
        ...ON_EARTH.map((shape) => [`ST_GeomFromText('${shape}', 4326)`]),
        ['NULL'],
      ],
    ),
    `CREATE TABLE geometry_types (id INT PRIMARY KEY, p POINT NOT NULL${sridColumn}, l LINESTRING, poly POLYGON,
      mp MULTIPOINT, ml MULTILINESTRING, mpoly MULTIPOLYGON, gc GEOMETRYCOLLECTION, SPATIAL KEY position (p))`,
    `INSERT INTO geometry_types VALUES
      (1, ST_GeomFromText('POINT(52.5 13.4)'${sridColumn === '' ? '' : ', 4326'}), ST_GeomFromText('${SHAPES[5] ?? ''}'), ST_GeomFromText('${SHAPES[8] ?? ''}'),
       ST_GeomFromText('${SHAPES[9] ?? ''}'), ST_GeomFromText('${SHAPES[10] ?? ''}'), ST_GeomFromText('${SHAPES[11] ?? ''}'), ST_GeomFromText('GEOMETRYCOLLECTION EMPTY')),
      (2, ST_GeomFromText('POINT(0 0)'${sridColumn === '' ? '' : ', 4326'}), NULL, NULL, NULL, NULL, NULL, NULL)`,
  ]);
}
