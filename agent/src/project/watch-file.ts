import { unwatchFile, watchFile } from 'node:fs'

/** Saving is noticed within this time. Looking is what works on every file system, and with editors that replace files. */
const lookIntervalMs = 500

/** Calls back when the file has changed, also when it was away in between. Returns what ends it. */
export function watchProject(file: string, onChange: () => void): () => void {
  const look = (now: { mtimeMs: number; ino: number; size: number }, before: typeof now) => {
    // Zero stands for a file that is not there: an editor may be in the middle of replacing it.
    if (now.ino === 0) return
    if (now.mtimeMs !== before.mtimeMs || now.ino !== before.ino || now.size !== before.size) {
      onChange()
    }
  }
  watchFile(file, { interval: lookIntervalMs }, look)
  return () => unwatchFile(file, look)
}
