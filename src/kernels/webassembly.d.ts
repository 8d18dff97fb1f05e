// The part of the WebAssembly API used here. TypeScript has it only in the browser's library, whose other
// globals do not exist in Node.

declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number });
    /** Replaced, and the old one detached, by every grow. */
    readonly buffer: ArrayBuffer;
    /** Adds pages of 64 KiB; the former count. Throws RangeError where there is no room. */
    grow(pages: number): number;
  }

  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>);
  }

  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, Memory>>);
    readonly exports: object;
  }
}
