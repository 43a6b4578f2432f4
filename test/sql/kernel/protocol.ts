/** Result sets as a server would send them, and the SQL that they ought to become. */
import type { ColumnPlan } from '../../../src/sql/column-plan.js';
import type { SqlPiece } from '../../../src/sql/kernel/row-encoder.js';
import { encodeTuple } from '../../../src/sql/row-literal.js';

const PAYLOAD_BYTES_MAX = 0xff_ffff;

/** Payloads as packets; a payload of 16 MiB and more takes several. */
export function packets(payloads: readonly Buffer[], firstSequenceId: number): Buffer {
  const parts: Buffer[] = [];
  let sequenceId = firstSequenceId;
  for (const payload of payloads) {
    for (let offset = 0; ; offset += PAYLOAD_BYTES_MAX) {
      const part = payload.subarray(offset, offset + PAYLOAD_BYTES_MAX);
      const header = Buffer.alloc(4);
      header.writeUIntLE(part.length, 0, 3);
      header[3] = sequenceId;
      sequenceId = (sequenceId + 1) % 256;
      parts.push(header, part);
      if (part.length < PAYLOAD_BYTES_MAX) break;
    }
  }
  return Buffer.concat(parts);
}

export function endPayload(warnings: number, statusFlags: number): Buffer {
  const payload = Buffer.alloc(5);
  payload[0] = 0xfe;
  payload.writeUInt16LE(warnings, 1);
  payload.writeUInt16LE(statusFlags, 3);
  return payload;
}

export function errorPayload(errno: number, sqlState: string, message: string): Buffer {
  const head = Buffer.from([0xff, errno & 0xff, errno >> 8]);
  return Buffer.concat([head, Buffer.from(`#${sqlState}${message}`)]);
}

export interface Targets {
  readonly statementBytesTarget: number;
  readonly memberBytesTarget: number;
}

/** The members that these images make: the rules of grouping, written for clarity. */
export function groupRows(
  images: readonly Buffer[],
  columns: readonly ColumnPlan[],
  insertPrefix: Buffer,
  { statementBytesTarget, memberBytesTarget }: Targets,
): SqlPiece[] {
  const members: Buffer[][][] = [[]];
  for (const image of images) {
    const tuple = encodeTuple(image, columns);
    let member = members.at(-1) ?? [];
    const bytes = memberLength(member, insertPrefix);
    const isGiant = tuple.length > memberBytesTarget;
    if (member.length > 0 && (bytes >= memberBytesTarget || isGiant)) members.push((member = []));
    const statement = member.at(-1);
    const isFull = statementLength(statement ?? [], insertPrefix) - 2 >= statementBytesTarget;
    if (statement === undefined || isFull || tuple.length > statementBytesTarget) {
      member.push([tuple]);
    } else {
      statement.push(tuple);
    }
  }
  return members
    .filter((member) => member.length > 0)
    .map((member) => toPiece(member, insertPrefix));
}

function statementLength(tuples: readonly Buffer[], insertPrefix: Buffer): number {
  return tuples.reduce((sum, tuple) => sum + tuple.length + 2, insertPrefix.length);
}

/** As the writer sees it when the last row was added: without the end of the last statement. */
function memberLength(member: readonly Buffer[][], insertPrefix: Buffer): number {
  return member.reduce((sum, tuples) => sum + statementLength(tuples, insertPrefix), 0) - 2;
}

function toPiece(member: readonly Buffer[][], insertPrefix: Buffer): SqlPiece {
  const statements = member.map((tuples) => {
    const lines = tuples.flatMap((tuple, index) => {
      return [tuple, Buffer.from(index === tuples.length - 1 ? ';\n' : ',\n')];
    });
    return Buffer.concat([insertPrefix, ...lines]);
  });
  return {
    sql: Buffer.concat(statements),
    isLent: false,
    rows: member.reduce((sum, tuples) => sum + tuples.length, 0),
    statements: statements.length,
    longestStatement: Math.max(...statements.map((statement) => statement.length)),
  };
}
