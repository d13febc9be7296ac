import { Redis } from "ioredis";

/** `redis.call` on each key that one node has under a prefix: all that has a moment is so much older. */
const AGE = `
local cursor = '0'
repeat
  local page = redis.call('SCAN', cursor, 'MATCH', ARGV[1] .. '*', 'COUNT', 1000)
  cursor = page[1]
  for _, key in ipairs(page[2]) do
    local left = redis.call('PTTL', key) - tonumber(ARGV[2])
    if left <= 0 then
      redis.call('DEL', key)
    else
      if string.sub(key, #ARGV[1] + 1, #ARGV[1] + 2) == 'b:' then
        local fullAt = tonumber(redis.call('GET', key)) - tonumber(ARGV[2]) * 1000
        redis.call('SET', key, string.format('%.0f', fullAt))
      end
      redis.call('PEXPIRE', key, left)
    end
  end
until cursor == '0'
`;

/** For tests: makes time pass for the keys of one prefix, since a server's clock can't be set. `urls` are the nodes'. */
export async function ageKeys(urls: readonly string[], prefix: string, ms: number): Promise<void> {
  await onEach(urls, (client) => client.eval(AGE, 0, prefix, ms));
}

/** For tests: leaves nothing of a prefix behind. */
export async function forgetKeys(urls: readonly string[], prefix: string): Promise<void> {
  await ageKeys(urls, prefix, Number.MAX_SAFE_INTEGER);
}

async function onEach(urls: readonly string[], act: (client: Redis) => Promise<unknown>): Promise<void> {
  for (const url of urls) {
    const client = new Redis(url, { lazyConnect: true, retryStrategy: null });
    client.on("error", () => undefined);
    await client.connect();
    await act(client);
    client.disconnect();
  }
}
