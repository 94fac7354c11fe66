/**
 * Where Node begins. In this order: signals are listened for, the first server's thread starts, and
 * beside that the program itself (main.ts) is loaded.
 */
import './keep-signals.ts'
import { earlyServer } from './early-server-start.ts'
import { runBundle } from '@usher/shared/bundle.ts'
import { listenForSignals } from './early-signals.ts'
import type { runProgram } from './main.ts'

const main = runBundle(import.meta.dirname, 'main.js') as
  { readonly runProgram: typeof runProgram }
void main.runProgram({ listenForSignals, earlyServer })
