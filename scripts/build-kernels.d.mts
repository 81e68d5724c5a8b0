/** The bytes of the compiled kernel, the same ones for the same source and compiler. */
export function compileKernel(): Promise<Uint8Array>
/** The text of the module that holds the bytes. */
export function moduleText(wasm: Uint8Array): string
