/**
 * Disks that are full for a while, for a program under test. A limit on the size of its files
 * (EFBIG) is to be had everywhere; a file system of its own (ENOSPC) where one may be mounted.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { workingFolder } from './cluster.ts'

export interface SmallDisk {
  readonly name: string
  /** For the files that are to be on it. */
  readonly dir: string
  /** From now on it takes nothing more from this process. */
  fill (pid: number): void
  /** Also for a process that has ended: left out then. */
  makeRoom (pid?: number): void
}

type Owner = Parameters<typeof workingFolder>[0]

const DISK_BYTES = 4 * 1024 * 1024

/** Every kind that there is here. @param cwd the program's working folder */
export function smallDisks (): ReadonlyArray<(t: Owner, cwd: string) => SmallDisk> {
  return canMount() ? [limitedFiles, fileSystem] : [limitedFiles]
}

/** Also what has been written already cannot be written again. */
function limitedFiles (_t: Owner, cwd: string): SmallDisk {
  const limit = (pid: number, bytes: string): void => {
    execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`])
  }
  return {
    name: 'files that may not grow',
    dir: cwd,
    fill: pid => { limit(pid, '0') },
    makeRoom: pid => { if (pid !== undefined) limit(pid, 'unlimited') }
  }
}

function fileSystem (t: Owner, cwd: string): SmallDisk {
  const dir = join(cwd, 'disk')
  mkdirSync(dir)
  mount(dir)
  t.teardown(() => { execFileSync('umount', [dir]) })
  const filler = join(dir, 'filler')
  return {
    name: 'a full file system',
    dir,
    fill: () => { fillUp(filler) },
    makeRoom: () => { rmSync(filler) }
  }
}

function canMount (): boolean {
  const dir = join('/tmp', `usher-mount-${process.pid}`)
  mkdirSync(dir)
  try {
    mount(dir)
    execFileSync('umount', [dir])
    return true
  } catch {
    return false
  } finally {
    rmdirSync(dir)
  }
}

function mount (dir: string): void {
  const options = ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'usher-test', dir]
  execFileSync('mount', options, { stdio: 'ignore' })
}

function fillUp (file: string): void {
  const fd = openSync(file, 'a')
  const block = Buffer.alloc(4096)
  try {
    for (;;) writeSync(fd, block)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    closeSync(fd)
  }
}
