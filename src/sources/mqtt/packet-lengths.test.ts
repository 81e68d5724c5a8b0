import { generate } from 'mqtt-packet'
import { describe, expect, it } from 'vitest'
import { PacketLengths } from './packet-lengths.ts'

const publish = (bytes: number): Buffer =>
  generate({ cmd: 'publish', topic: 'a/b', payload: Buffer.alloc(bytes), qos: 0, dup: false, retain: false })

describe('PacketLengths', () => {
  it.each([1, 2, 3, 5, 130, 100_000])('follows packets that come in pieces of %i bytes', (piece) => {
    const stream = Buffer.concat([0, 1, 122, 123, 16_377, 16_378, 16_379].map(publish))
    const lengths = new PacketLengths(16_384)
    for (let at = 0; at < stream.length; at += piece) {
      expect(lengths.take(stream.subarray(at, at + piece))).toBe(true)
    }
    // the stream ends with a packet: the next one is measured from its own header
    expect(lengths.take(publish(16_379))).toBe(true)
    expect(lengths.take(publish(16_380))).toBe(false)
  })

  it('refuses a packet of 256 MiB at its header', () => {
    expect(new PacketLengths(2 ** 20).take(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]))).toBe(false)
  })

  it('refuses a length of more than four bytes (MQTT 3.1.1, section 2.2.3)', () => {
    expect(new PacketLengths(2 ** 20).take(Buffer.from([0x30, 0x80, 0x80, 0x80]))).toBe(true)
    expect(new PacketLengths(2 ** 20).take(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80]))).toBe(false)
  })
})
