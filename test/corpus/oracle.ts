/**
 * The corpus's judge: reads everything a database holds, by ways of its own, and says in words
 * where two databases differ. It shares no code with src/.
 */
export { captureState } from './oracle/capture.js';
export { compareStates } from './oracle/compare.js';
export type { DatabaseState, ObjectState, RowSet } from './oracle/state.js';
