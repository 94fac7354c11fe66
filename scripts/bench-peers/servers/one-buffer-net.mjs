/**
 * The most that Node's sockets do: connections are taken over from the listening handle before
 * node:net makes sockets of them, all are read into one buffer, and after a connection's first
 * request nothing is read of the others; the same buffer is written again: PORT FOLDER. No HTTP
 * server; the limit of anything that can be built on Node.
 */
import { createServer, Socket } from 'node:net'
import { repliesOf } from './made-beforehand.mjs'

const [, , port, folder] = process.argv
const replyTo = repliesOf(folder)
const buffer = Buffer.allocUnsafeSlow(65_536)

const server = createServer()
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 }, () => {
  server._handle.onconnection = (error, handle) => {
    if (error !== 0 || handle === undefined) return
    let first
    const callback = length => {
      first ??= replyTo(buffer.subarray(0, length))
      if (first.isLast) socket.end(first.reply)
      else socket.write(first.reply)
      return true
    }
    const socket = new Socket({ handle, onread: { buffer, callback } })
    socket.setNoDelay(true)
    socket.on('error', () => {})
  }
})
