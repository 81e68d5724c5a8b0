/** How full a disk is. */
export interface DiskUsage {
  /** Share in use of what may be used, 0 to 1, as df shows it. */
  readonly usedShare: number
  /** Bytes that this process may still write. */
  readonly freeBytes: number
}

/** The disk of the data folder. */
export interface Disk {
  /** As it is now. Rejects where the disk cannot be asked. */
  usage(): Promise<DiskUsage>
}
