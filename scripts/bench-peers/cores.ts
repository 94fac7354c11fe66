/**
 * Two cores, one for the server that is measured and one for the load and the benchmark itself.
 * Linux: by taskset of util-linux.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

export interface Cores {
  readonly server: number
  readonly load: number
}

/** The first two that this process may use. Throws where there is one only. */
export function chooseCores (): Cores {
  const status = readFileSync('/proc/self/status', 'utf8')
  const [, list = ''] = /^Cpus_allowed_list:\s+(\S+)$/m.exec(status) ?? []
  const [server, load] = coresOf(list)
  if (server === undefined || load === undefined) {
    throw new Error('two cores are needed, one for the server and one for the load')
  }
  return { server, load }
}

/** @param list as the kernel writes it, `0-3,8` */
function coresOf (list: string): readonly number[] {
  return list.split(',').flatMap(range => {
    const [first = NaN, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, at) => first + at)
  })
}

/** Every thread of this process, and whatever it starts from now on without `onCore`. */
export function moveToCores (...cores: readonly number[]): void {
  execFileSync('taskset', ['-apc', cores.join(','), String(process.pid)], { stdio: 'ignore' })
}

/** The same command, held on one core. */
export function onCore (core: number, command: readonly string[]): readonly string[] {
  return ['taskset', '-c', String(core), ...command]
}
