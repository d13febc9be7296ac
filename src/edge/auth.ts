import { errors as joseErrors, jwtVerify, SignJWT } from "jose";
import { LRUCache } from "lru-cache";
import { assert } from "../domain/assert.ts";
import type { Clock } from "../domain/clock.ts";
import { type UserId, userId } from "../domain/ids.ts";
import type { User, UserRole } from "../stores/catalog/port.ts";
import type { EdgeLimits } from "./limits.ts";

/** Who is calling, as a verified token says. */
export interface Caller {
  readonly userId: UserId;
  readonly role: UserRole;
}

export type TokenFault = "token_invalid" | "token_expired";

export interface IssuedTokens {
  readonly accessToken: string;
  readonly accessExpiresAtMs: number;
  readonly refreshToken: string;
  readonly refreshExpiresAtMs: number;
}

/** The header's `typ` keeps the two apart: a refresh token opens no route, and an access token refreshes nothing. */
type TokenType = "at+jwt" | "rt+jwt";

const ISSUER = "powerplay";
/** One only: a token that names another, "none" among them, is refused before its signature is looked at. */
const ALGORITHM = "HS256";

interface CachedCaller {
  readonly caller: Caller;
  readonly expiresAtMs: number;
}

/**
 * Issues and verifies JWTs. Verified access tokens are kept until they expire: verifying costs tens of microseconds, a
 * look-up well under one. Tokens are not revocable either way, so keeping the answer takes nothing away; only what was
 * genuine is kept, so a flood of forged tokens can't push the real ones out.
 */
export class Tokens {
  readonly #key: Uint8Array;
  readonly #verified: LRUCache<string, CachedCaller>;

  constructor(
    secret: string,
    private readonly clock: Clock,
    private readonly limits: Pick<EdgeLimits, "accessTokenTtlMs" | "refreshTokenTtlMs" | "tokenCacheMax">,
  ) {
    this.#key = new TextEncoder().encode(secret);
    this.#verified = new LRUCache({ max: limits.tokenCacheMax });
  }

  async issue(user: Pick<User, "id" | "role">): Promise<IssuedTokens> {
    const nowMs = this.clock.nowMs();
    const accessExpiresAtMs = nowMs + this.limits.accessTokenTtlMs;
    const refreshExpiresAtMs = nowMs + this.limits.refreshTokenTtlMs;
    return {
      accessToken: await this.#sign(user, "at+jwt", nowMs, accessExpiresAtMs),
      accessExpiresAtMs,
      refreshToken: await this.#sign(user, "rt+jwt", nowMs, refreshExpiresAtMs),
      refreshExpiresAtMs,
    };
  }

  /** Answers at once for a token seen before, so that the hot path does not wait for a promise. */
  caller(accessToken: string): Caller | TokenFault | Promise<Caller | TokenFault> {
    const known = this.#verified.get(accessToken);
    if (known === undefined) return this.#verifyAndKeep(accessToken);
    if (this.clock.nowMs() < known.expiresAtMs) return known.caller;
    this.#verified.delete(accessToken);
    return "token_expired";
  }

  async refreshing(refreshToken: string): Promise<UserId | TokenFault> {
    const verified = await this.#verify(refreshToken, "rt+jwt");
    return typeof verified === "string" ? verified : verified.caller.userId;
  }

  async #verifyAndKeep(accessToken: string): Promise<Caller | TokenFault> {
    const verified = await this.#verify(accessToken, "at+jwt");
    if (typeof verified === "string") return verified;
    this.#verified.set(accessToken, verified);
    return verified.caller;
  }

  async #verify(token: string, typ: TokenType): Promise<CachedCaller | TokenFault> {
    try {
      const { payload } = await jwtVerify(token, this.#key, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        typ,
        currentDate: new Date(this.clock.nowMs()),
        requiredClaims: ["sub", "exp", "role"],
      });
      const id = Number(payload.sub);
      const role = payload["role"];
      if (!Number.isSafeInteger(id) || id < 1 || (role !== "user" && role !== "admin")) return "token_invalid";
      return { caller: { userId: userId(id), role }, expiresAtMs: payload.exp! * 1000 };
    } catch (error) {
      if (error instanceof joseErrors.JWTExpired) return "token_expired";
      if (error instanceof joseErrors.JOSEError) return "token_invalid";
      throw error;
    }
  }

  #sign(user: Pick<User, "id" | "role">, typ: TokenType, nowMs: number, expiresAtMs: number): Promise<string> {
    assert(expiresAtMs > nowMs, "a token lives for a while");
    return new SignJWT({ role: user.role })
      .setProtectedHeader({ alg: ALGORITHM, typ })
      .setIssuer(ISSUER)
      .setSubject(String(user.id))
      .setIssuedAt(Math.floor(nowMs / 1000))
      .setExpirationTime(Math.floor(expiresAtMs / 1000))
      .sign(this.#key);
  }
}
