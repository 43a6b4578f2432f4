import { hexLiteral, insert } from '../sql-text.js';
import { theme } from '../step.js';

function vector(values: readonly number[]): string {
  return hexLiteral(Buffer.from(new Float32Array(values).buffer));
}

function ramp(length: number): string {
  return vector(Array.from({ length }, (_, index) => (index - length / 2) / 3));
}

/** VECTOR (MySQL 9.0): single precision numbers, exact to the bit. */
export const vectors = theme('vector', [
  'CREATE TABLE vectors (id INT AUTO_INCREMENT PRIMARY KEY, v3 VECTOR(3), v VECTOR, widest VECTOR(16383))',
  insert(
    'vectors',
    ['v3', 'v', 'widest'],
    [
      [vector([0, -0, 1.401298464324817e-45]), vector([1]), ramp(16_383)],
      [vector([3.4028234663852886e38, -3.4028234663852886e38, 0.1]), ramp(2048), vector([0.1])],
      ["STRING_TO_VECTOR('[1.10, 2e10, -3]')", vector([16777215]), 'NULL'],
      ['NULL', 'NULL', 'NULL'],
    ],
  ),
]);
