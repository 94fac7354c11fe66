/**
 * The content codings that this Node has, to and fro. Compresses in libuv's threads.
 */
import { promisify } from 'node:util'
import type * as zlib from 'node:zlib'
import type { Coding } from './content-coding.ts'

/** How much of a processor's time a file is worth. */
export type Effort = 'best' | 'good' | 'fast'

export type CompressedCoding = Exclude<Coding, 'identity'>

type Expand = (body: Buffer, options: object) => Promise<Buffer>

/** Since Node 22.15; the types are those of the oldest Node. */
interface Zstd {
  readonly zstdCompress?: (body: Buffer, options: object, done: Done) => void
  readonly zstdDecompress?: (body: Buffer, options: object, done: Done) => void
  readonly constants: { readonly ZSTD_c_compressionLevel: number }
}

type Done = (error: Error | null, result: Buffer) => void

/** Loaded when the first file is compressed: no start waits for it. */
function loadZlib (): typeof zlib & Zstd {
  return process.getBuiltinModule('node:zlib') as unknown as typeof zlib & Zstd
}

/**
 * Brotli takes 1.3 s, 0.07 s and 0.03 s of a processor for a MiB, zstd at most 0.6 s, gzip 0.04 s.
 * Measured on JavaScript source, 2-core machine, Node 20 and 24.
 */
const LEVELS: Readonly<Record<Effort, Readonly<Record<CompressedCoding, number>>>> = {
  best: { br: 11, zstd: 19, gzip: 9 },
  good: { br: 9, zstd: 12, gzip: 9 },
  fast: { br: 5, zstd: 5, gzip: 6 }
}

/** Those that this Node can make. */
export function madeCodings (): readonly CompressedCoding[] {
  return loadZlib().zstdCompress === undefined ? ['br', 'gzip'] : ['br', 'zstd', 'gzip']
}

/** @param coding one of madeCodings */
export function compress (
  body: Buffer, coding: CompressedCoding, effort: Effort
): Promise<Buffer> {
  const level = LEVELS[effort][coding]
  const { brotliCompress, gzip, zstdCompress, constants } = loadZlib()
  switch (coding) {
    case 'gzip': return promisify<Buffer, object, Buffer>(gzip)(body, { level })
    case 'zstd': return promisify(zstdCompress!)(body, {
      params: { [constants.ZSTD_c_compressionLevel]: level },
      pledgedSrcSize: body.length // Without it a small file takes 70 ms and 80 MB.
    })
    case 'br': return promisify<Buffer, object, Buffer>(brotliCompress)(body, {
      params: {
        [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
        [constants.BROTLI_PARAM_QUALITY]: level,
        [constants.BROTLI_PARAM_SIZE_HINT]: body.length
      }
    })
  }
}

function expander (coding: CompressedCoding): Expand | undefined {
  const { brotliDecompress, gunzip, zstdDecompress } = loadZlib()
  switch (coding) {
    case 'br': return promisify<Buffer, object, Buffer>(brotliDecompress)
    case 'gzip': return promisify<Buffer, object, Buffer>(gunzip)
    case 'zstd': return zstdDecompress && promisify(zstdDecompress)
  }
}

/** RFC 8878 section 3.1.1: how a frame begins. */
const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])

/** Whether `packed` is `body` in that coding; of what this Node cannot read, whether it may be. */
export async function isPacked (
  packed: Buffer, body: Buffer, coding: CompressedCoding
): Promise<boolean> {
  const expand = expander(coding)
  if (expand === undefined) return packed.subarray(0, ZSTD_MAGIC.length).equals(ZSTD_MAGIC)
  try {
    // Not a byte more than it should have, whatever it is.
    return (await expand(packed, { maxOutputLength: Math.max(1, body.length) })).equals(body)
  } catch {
    return false
  }
}
