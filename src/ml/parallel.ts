/**
 * Threads on one shared memory, as a port: `ml` starts none itself, so that it runs where there are none. Every member
 * but the first, which is the caller, has made an instance of the same program on `memory` and is inside its function
 * `serve(member)`, waiting for its share of the work. A team serves one caller at a time.
 */
export interface Team {
  /** Threads, the caller's included. */
  readonly size: number
  /** Of a fixed length; what does not fit into it is done without the team. */
  readonly memory: WebAssembly.Memory
}

/** What a team's members run: WebAssembly that imports `env.memory` and exports `serve(member)` and `stop()`. */
export interface Program {
  readonly bytes: Uint8Array
  /** Limit of the memory that it was compiled for, in pages of 64 KiB. */
  readonly maxPages: number
}
