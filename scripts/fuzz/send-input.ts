/**
 * Sends one input over a connection of its own and tells what came back and how it ended. Every
 * wait is bounded; judges nothing.
 */
import { connect, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { readAnswers, type Answers } from './answers.ts'
import type { RequestInput } from './inputs.ts'
import { OWN_HEADER, PROXY_ADDRESS } from './proxy-headers.ts'

export interface Outcome extends Answers {
  /** Everything that came, as Latin-1. */
  readonly text: string
  /** `quiet`: answered, and nothing more came. `hung`: neither answered nor closed in time. */
  readonly end: 'closed' | 'quiet' | 'refused' | 'hung'
  /** From when we asked for a connection until all was sent; infinite when not all was. */
  readonly sendMs: number
}

/**
 * The slow are answered 408 within a second; but the monitor has little of a machine that others
 * use, too.
 */
const HANG_MS = 60_000
/** A whole answer is there; this long for one more. */
const QUIET_MS = 60
/** The largest file of the site a few times. */
const ANSWER_BYTES_MAX = 8 * 1024 * 1024

/** @param fill puts into the bytes what only the running program knows */
export async function sendInput (
  input: RequestInput, port: number, fill: (wire: string) => string, hangMs = HANG_MS
): Promise<Outcome> {
  const startMs = performance.now()
  const { isHere, socket, result } = open(port, hangMs, input)
  const header = input.isProxied === true ? [input.header ?? OWN_HEADER] : []
  const pieces = [...header, ...cutLike(input.send, fill(input.send.join('')))]
  const isSent = await isHere && await send(socket, pieces, input.end)
  const sendMs = isSent ? performance.now() - startMs : Infinity
  return { ...await result, sendMs }
}

interface Exchange {
  readonly socket: Socket
  /** Whether there is a connection. */
  readonly isHere: Promise<boolean>
  readonly result: Promise<Omit<Outcome, 'sendMs'>>
}

function open (
  port: number, hangMs: number, { end, send, isIntact, isProxied, requestsMax }: RequestInput
): Exchange {
  const mayBeHead = send.join('').includes('HEAD')
  const localAddress = isProxied === true ? PROXY_ADDRESS : undefined
  const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true })
  let text = ''
  let isOver: (end: Outcome['end']) => void = () => {}
  const result = new Promise<Outcome['end']>(resolve => { isOver = resolve }).then(end => {
    clearTimeout(hanging)
    clearTimeout(quiet)
    socket.destroy()
    return { ...readAnswers(text, mayBeHead), text, end }
  })
  const hanging = setTimeout(() => { isOver('hung') }, hangMs)
  let quiet: NodeJS.Timeout | undefined
  socket.on('data', bytes => {
    text += bytes.toString('latin1')
    clearTimeout(quiet)
    if (text.length > ANSWER_BYTES_MAX) return isOver('quiet')
    if (end !== 'wait' && !text.includes('text/event-stream')) return
    const due = isIntact === true ? requestsMax : 1
    quiet = setTimeout(() => { if (isAnswered(text, mayBeHead, due)) isOver('quiet') }, QUIET_MS)
  })
  socket.on('error', () => {})
  const isHere = new Promise<boolean>(resolve => {
    socket.once('connect', () => { resolve(true) })
    socket.once('close', () => { resolve(false) })
  })
  socket.once('close', () => { void isHere.then(isTaken => isOver(isTaken ? 'closed' : 'refused')) })
  return { socket, isHere, result }
}

function isAnswered (text: string, mayBeHead: boolean, due: number): boolean {
  const { answers, rest } = readAnswers(text, mayBeHead)
  return rest === 'stream' || (answers.length >= due && rest !== 'cut short')
}

/** @returns whether all was sent */
async function send (
  socket: Socket, pieces: readonly string[], end: RequestInput['end']
): Promise<boolean> {
  for (const piece of pieces) {
    if (!socket.writable) return false
    socket.write(piece, 'latin1')
    await nextTurn()
  }
  if (end === 'finish') socket.end()
  if (end === 'reset') socket.resetAndDestroy()
  return true
}

/** The filled bytes, in pieces as long as the ones that they came in. */
function cutLike (pieces: readonly string[], wire: string): string[] {
  let at = 0
  return pieces.map((piece, index) => {
    const start = at
    at += piece.length
    return wire.slice(start, index === pieces.length - 1 ? undefined : at)
  })
}
