/** What we use of the WebAssembly interface; Node's type definitions leave it to the browser's. */
declare namespace WebAssembly {
  interface Instance {
    readonly exports: unknown;
  }
  interface Memory {
    /** Replaced by another object when the memory grows. */
    readonly buffer: ArrayBuffer;
  }
  const Module: new (bytes: Uint8Array) => object;
  const Instance: new (module: object, imports: object) => Instance;
}
