import { assert } from "../../../domain/assert.ts";

/**
 * Users and payments belong to one of 4,096 buckets for ever: a user by the folded name, so that one bucket knows whether a name
 * is taken, a payment by its id. The bucket is the user id's remainder, so ids are never looked up, and ids spread
 * evenly over partitions and stripes as the hash does.
 */
export const BUCKETS = 4_096;

/** Enough that no database has much more than its share. */
const POINTS_PER_SHARD = 256;

/** FNV-1a of the UTF-8 bytes, mixed as Murmur3 ends. It places rows in databases: it never changes. */
export function placementHash(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

export const bucketOf = (text: string): number => placementHash(text) % BUCKETS;
export const bucketOfUserId = (userId: number): number => userId % BUCKETS;

/**
 * Which shard has each bucket: a shard is its place in the list, with 256 points on a ring, and a bucket goes to the next
 * point. A shard added at the end takes its share from all others and moves nothing between them.
 */
export function shardOfBuckets(shardCount: number): Uint16Array {
  assert(shardCount >= 1 && shardCount <= 1_024, `${shardCount} databases of users are not 1 to 1,024`);
  const points = Array.from({ length: shardCount * POINTS_PER_SHARD }, (_, index) => ({
    at: placementHash(`shard ${Math.floor(index / POINTS_PER_SHARD)} point ${index % POINTS_PER_SHARD}`),
    shard: Math.floor(index / POINTS_PER_SHARD),
  })).toSorted((a, b) => a.at - b.at || a.shard - b.shard);
  return Uint16Array.from({ length: BUCKETS }, (_, bucket) => {
    const at = placementHash(`bucket ${bucket}`);
    return (points.find((point) => point.at >= at) ?? points[0]!).shard;
  });
}
