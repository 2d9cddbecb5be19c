declare const unit: unique symbol;

/** Milliseconds since 1970-01-01T00:00:00Z without leap seconds. May carry a fraction; a double keeps it to under a microsecond. */
export type UnixMillis = number & { readonly [unit]: "unix milliseconds" };

/** Milliseconds since an arbitrary instant of this process. Never goes back, has no meaning outside the process. */
export type MonotonicMillis = number & { readonly [unit]: "monotonic milliseconds" };

/** A length of time in milliseconds. */
export type Millis = number;

export const SECOND: Millis = 1000;
export const MINUTE: Millis = 60 * SECOND;
export const HOUR: Millis = 60 * MINUTE;
export const DAY: Millis = 24 * HOUR;

export function unixMillis(value: number): UnixMillis {
  return value as UnixMillis;
}

export function later(at: UnixMillis, by: Millis): UnixMillis {
  return (at + by) as UnixMillis;
}

/** Seconds from 1900-01-01 (NTP era 0) to 1970-01-01. */
const NTP_TO_UNIX_SECONDS = 2_208_988_800;

/** A 64-bit NTP timestamp as two unsigned 32-bit halves (RFC 5905 6): seconds since 1900, fraction in 1/2^32 s. */
export interface NtpTime {
  readonly seconds: number;
  readonly fraction: number;
}

/** Valid until the end of NTP era 0 in February 2036; era 1 is taken for second counts below 2^31 (RFC 4330 3). */
export function ntpOf(at: UnixMillis): NtpTime {
  const whole = Math.floor(at / 1000);
  const fraction = Math.floor(((at - whole * 1000) / 1000) * 2 ** 32);
  return { seconds: (whole + NTP_TO_UNIX_SECONDS) >>> 0, fraction: fraction >>> 0 };
}

export function unixOfNtp(ntp: NtpTime): UnixMillis {
  const era = ntp.seconds < 2 ** 31 ? 2 ** 32 : 0;
  return ((ntp.seconds + era - NTP_TO_UNIX_SECONDS) * 1000 + (ntp.fraction / 2 ** 32) * 1000) as UnixMillis;
}

/** `2026-11-24T13:05:09.120Z`: whole milliseconds, always UTC, always `Z`. */
export function isoOf(at: UnixMillis): string {
  return new Date(at).toISOString();
}
