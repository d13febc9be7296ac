/**
 * Points are integers of quarter-points ("Qp"). Published rules go down to half a point, a captain scores ×2 and a
 * vice-captain ×1.5, so a player's own points are always an even number of quarter-points and every product is exact.
 */
export type PointsQp = number;

export const QP_PER_POINT = 4;

export const qpToPoints = (qp: PointsQp): number => qp / QP_PER_POINT;

export const captainQp = (playerQp: PointsQp): PointsQp => playerQp * 2;

/** Exact because a player's own points are even. */
export const viceCaptainQp = (playerQp: PointsQp): PointsQp => playerQp + playerQp / 2;

/** The points of every player of one match's pool, by pool index (0 … 63), at one version of the match. */
export type PointsVector = Int16Array;

export const POOL_SIZE_MAX = 64;
