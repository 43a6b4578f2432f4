/** A sandbox server or tool could not be had. The message says what to install or look at. */
export class SandboxError extends Error {
  override readonly name = 'SandboxError';
}

/** The `code` of a Node.js system error such as `ENOENT`, or undefined for any other value. */
export function systemErrorCode(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return undefined;
}
