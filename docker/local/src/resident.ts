import { globSync, readFileSync } from 'node:fs'

/**
 * The memory that a process and all below it hold, in MB, each shared page counted once (PSS). Null where the system
 * does not tell.
 */
export function residentMb(rootPid: number): number | null {
  if (process.platform !== 'linux') return null
  const parents = new Map<number, number>()
  for (const file of globSync('/proc/[0-9]*/stat')) {
    const stat = read(file)
    // The name in brackets may hold spaces: fields count from behind it.
    const parent = Number(stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
    parents.set(Number(file.split('/')[2]), parent)
  }
  const isOurs = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at)) {
      if (at === rootPid) return true
    }
    return false
  }
  let kib = 0
  for (const pid of parents.keys()) {
    if (isOurs(pid))
      kib += Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? '')?.[1] ?? 0)
  }
  return Math.round(kib / 1024)
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null // The process ended meanwhile, or belongs to somebody else.
  }
}
