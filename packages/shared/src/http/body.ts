/**
 * Reads a request's body to its end, within a limit. Knows no timeouts: the checked server answers
 * 408 for a slow one. Holds no state.
 */
import type { Readable } from 'node:stream'

/** The whole body; `'too large'` at the first byte past the limit; undefined if the client left. */
export type ReadBody = Buffer | 'too large' | undefined

export function readBody (request: Readable, bytesMax: number): Promise<ReadBody> {
  return new Promise(resolve => {
    const chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      if (bytes > bytesMax) return
      bytes += chunk.length
      if (bytes <= bytesMax) chunks.push(chunk)
      else resolve('too large') // once: node tells of every further call, which takes 2 us
    })
    request.once('end', () => resolve(Buffer.concat(chunks)))
    request.once('error', () => resolve(undefined))
    request.once('close', () => resolve(undefined))
  })
}
