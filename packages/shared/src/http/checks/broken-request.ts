/**
 * What the parser's error says of a request that it could not read: which status refuses it. Holds
 * no state.
 */
import type { Socket } from 'node:net'
import { limitPeer } from '../../peer-limit.ts'
import type { RefusalStatus } from './refusal.ts'

/** The errors of node:http's parser and timers, as its `clientError` event hands them over. */
export interface ParserError extends Error {
  readonly code?: string | undefined
  /** The parser's own words for what it met. */
  readonly reason?: string | undefined
  readonly rawPacket?: Buffer
  readonly bytesParsed?: number
}

/** 'by line': what it is depends on the rest of the line in which the parser stopped. */
export type Fault = RefusalStatus | 'by line'

/**
 * The status for a request that broke off, or undefined when the client is gone.
 * @param beginning what the request began with, as the scanner has it
 */
export function faultOf (
  { code = '', reason = '' }: ParserError, beginning: string
): Fault | undefined {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT': return 408
    // RFC 9112 section 3: 414 where the target is to blame.
    case 'HPE_HEADER_OVERFLOW': return ONLY_TARGET.test(beginning) ? 414 : 431
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW': return 413
    // RFC 9110 section 15.6.6 is for another version; a malformed one is a malformed line.
    case 'HPE_INVALID_VERSION': return reason === 'Invalid HTTP version' ? 505 : 400
    case 'HPE_PAUSED_H2_UPGRADE': return 505
    // Methods that the parser knows from another protocol, in a request of HTTP.
    case 'HPE_INVALID_CONSTANT': return reason.startsWith('Invalid method for HTTP') ? 501 : 400
    case 'HPE_INVALID_METHOD': return 'by line'
    default: return code.startsWith('HPE_') ? 400 : undefined
  }
}

/** A method and the beginning of a target. The parser knows no other methods. */
const ONLY_TARGET = /^[A-Z_-]+ [^\n]*$/

/** RFC 9112 section 3; RFC 9110 section 9.1 asks for 501 when only the method is unknown. */
const REQUEST_LINE = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+ \S+ HTTP\/\d\.\d\r?$/
const LINE_LENGTH_MAX = 16_384

/**
 * Reads on to the end of the line in which the parser met a method that it does not know, and says
 * once what the line is: 501 for a request line all the same, 400 for anything else, 408 when its
 * end does not come in time.
 */
export function judgeLine (
  error: ParserError, socket: Socket, timeoutMs: number, say: (status: RefusalStatus) => void
): void {
  let line = begunLine(error)
  const end = (status: RefusalStatus): void => {
    endLimit()
    socket.off('data', read).off('end', breakOff).off('close', breakOff)
    say(status)
  }
  const breakOff = (): void => end(400)
  const read = (bytes: Buffer): void => {
    line += bytes.toString('latin1')
    const length = line.indexOf('\n')
    if (length !== -1) end(isRequestLine(line.slice(0, length)) ? 501 : 400)
    else if (line.length > LINE_LENGTH_MAX) breakOff()
  }
  const endLimit = limitPeer(timeoutMs, () => end(408))
  // The parser listens for `data` too, and has no more to say.
  socket.removeAllListeners('data')
  socket.on('data', read).on('end', breakOff).on('close', breakOff)
  read(NO_BYTES)
}

const NO_BYTES = Buffer.alloc(0)

/** The line that the parser stopped in, as far as this packet has it. */
function begunLine ({ rawPacket = NO_BYTES, bytesParsed = 0 }: ParserError): string {
  const start = rawPacket.subarray(0, bytesParsed).lastIndexOf('\n') + 1
  return rawPacket.toString('latin1', start)
}

function isRequestLine (line: string): boolean {
  return line.length <= LINE_LENGTH_MAX && REQUEST_LINE.test(line)
}
