/** Replies that are made beforehand, for servers that show what Node's sockets alone do. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const DATE = new Date().toUTCString()
const CLOSE = Buffer.from('\r\nConnection: close')
/** GET /away and GET /heartbeat are told by the sixth byte. */
const [A, H] = [0x61, 0x68]

/** Finds, for a head, the reply and whether the connection ends with it. */
export function repliesOf (folder) {
  const body = readFileSync(join(folder, 'index.html'))
  const page = replies('200 OK',
    `Content-Type: text/html\r\nCache-Control: no-cache\r\nContent-Length: ${body.length}\r\n`, body)
  const beat = replies('204 No Content', 'X-Active-Users: 1\r\nCache-Control: no-store\r\n')
  const away = replies('302 Found',
    'Location: http://127.0.0.1:8000/away\r\nCache-Control: no-store\r\nContent-Length: 0\r\n')
  return head => {
    const { kept, last } = head[5] === A ? away : head[5] === H ? beat : page
    const isLast = head.includes(CLOSE)
    return { reply: isLast ? last : kept, isLast }
  }
}

function replies (status, fields, body = Buffer.alloc(0)) {
  const reply = connection => Buffer.concat([
    Buffer.from(`HTTP/1.1 ${status}\r\n${fields}Date: ${DATE}\r\n${connection}\r\n`), body
  ])
  return { kept: reply(''), last: reply('Connection: close\r\n') }
}
