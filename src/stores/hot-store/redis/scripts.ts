import type { Result } from "ioredis";

/**
 * A bucket is one number, the moment at which it will be full again, in microseconds of the server's clock; one that is full needs no
 * key. So time refills it and expiry forgets it by the same number, and other limits than last time hold at once. Doubles tell quarter
 * microseconds apart at this size, so a microsecond that lacks is not asked for.
 */
export const takeScript = {
  numberOfKeys: 1,
  lua: `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local tokenUs = 1000000 / tonumber(ARGV[2])
local wholeUs = tonumber(ARGV[1]) * tokenUs
local fullAt = tonumber(redis.call('GET', KEYS[1]) or now)
-- A clock that was set back refills nothing, and takes away no more than a whole bucket.
fullAt = math.max(now, math.min(fullAt, now + wholeUs))
local waitUs = fullAt + tokenUs - now - wholeUs
if waitUs > 1 then
  return math.ceil(waitUs / 1000)
end
fullAt = fullAt + tokenUs
redis.call('SET', KEYS[1], string.format('%.0f', math.floor(fullAt)), 'PX', math.ceil((fullAt - now) / 1000))
return 0
`,
} as const;

declare module "ioredis" {
  interface RedisCommander<Context> {
    /** Milliseconds to wait; 0: taken. */
    takeToken(key: string, capacity: number, refillPerSecond: number): Result<number, Context>;
  }
}
