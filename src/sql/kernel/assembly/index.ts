// The row kernel: what `../kernel.ts` may call.
export {
  chunkBytes,
  columnBytes,
  commitSlowRow,
  isRowWaiting,
  makeRoomForSlowRow,
  reserveSetup,
  setupAddress,
  startEncoder,
  step,
} from './encoder';
export {
  addInput,
  allowHugeRow,
  inputAddress,
  leftoverAddress,
  leftoverBytes,
  nextSequence,
  rowImage,
  rowImageBytes,
} from './packets';
export {
  finishMember,
  longestStatementBytes,
  memberAddress,
  memberBytes,
  rowsInMember,
  startMember,
  statementsInMember,
  tupleAddress,
} from './writer';
export { digestRows, digestSum, digestXor, restoreDigest } from './digest';
export {
  addParserInput,
  isParserDone,
  parse,
  parsedBytes,
  parsedLongestStatement,
  parsedStatements,
  parserInputAddress,
  slowImageAddress,
  slowImageBytes,
  slowTupleAddress,
  slowTupleBytes,
  startParser,
} from './parser';
