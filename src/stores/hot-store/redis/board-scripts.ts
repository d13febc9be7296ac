import type { Result } from "ioredis";

/**
 * The boards of a contest are one hash of heads, by `slice:version`, and beside it one sorted set a head, named by it. A set is filled
 * before its head is there and is never changed after, so the head is what makes it seen. A head is three u32 (entries of the contest, of
 * the slice, held) and the compact standing.
 */
export const HEAD_COUNTS_BYTES = 12;

/**
 * KEYS: the heads, the filled set. ARGV: slice, version, head, time to live. Answers 0 when the set lost entries while it was filled (the
 * server came back empty). Keeps the newest version of each slice and the newest that all of them have; sets go in the background.
 */
export const commitBoardScript = {
  numberOfKeys: 2,
  lua: `
local _, _, held = struct.unpack('<I4I4I4', ARGV[3])
if redis.call('ZCARD', KEYS[2]) ~= held then
  redis.call('UNLINK', KEYS[2])
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1] .. ':' .. ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
local heads = redis.call('HGETALL', KEYS[1])
local missing, newest, whole = {}, {}, -1
for i = 1, #heads, 2 do
  local slice, version = string.match(heads[i], '^(%d+):(%d+)$')
  version = tonumber(version)
  local contest, entries = struct.unpack('<I4I4', heads[i + 1])
  missing[version] = (missing[version] or contest) - entries
  if version > (newest[slice] or -1) then newest[slice] = version end
end
for version, count in pairs(missing) do
  if count == 0 and version > whole then whole = version end
end
for i = 1, #heads, 2 do
  local slice, version = string.match(heads[i], '^(%d+):(%d+)$')
  version = tonumber(version)
  if version ~= whole and (version < whole or version ~= newest[slice]) then
    redis.call('HDEL', KEYS[1], heads[i])
    redis.call('UNLINK', KEYS[1] .. ':' .. heads[i])
  end
end
return 1
`,
} as const;

/**
 * KEYS: the heads. ARGV: version, then slice, first and last place of each range. Answers members and scores in turn, range by range;
 * nil when a slice is not there, or has lost entries, which its head then goes after.
 */
export const readBoardScript = {
  numberOfKeys: 1,
  lua: `
local found = {}
for i = 2, #ARGV, 3 do
  local name = ARGV[i] .. ':' .. ARGV[1]
  local head = redis.call('HGET', KEYS[1], name)
  if not head then return nil end
  local _, _, held = struct.unpack('<I4I4I4', head)
  if redis.call('ZCARD', KEYS[1] .. ':' .. name) ~= held then
    redis.call('HDEL', KEYS[1], name)
    redis.call('UNLINK', KEYS[1] .. ':' .. name)
    return nil
  end
  found[#found + 1] = redis.call('ZRANGE', KEYS[1] .. ':' .. name, ARGV[i + 1], ARGV[i + 2], 'WITHSCORES')
end
return found
`,
} as const;

declare module "ioredis" {
  interface RedisCommander<Context> {
    /** 1: committed. */
    commitBoard(
      heads: string,
      set: string,
      slice: number,
      version: number,
      head: Buffer,
      ttlMs: number,
    ): Result<number, Context>;
    readBoardBuffer(heads: string, version: number, ...ranges: number[]): Result<Buffer[][] | null, Context>;
  }
}
