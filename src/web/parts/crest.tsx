import { shortName } from "../words.ts";

/** The same name has the same colour everywhere; the lightness keeps white letters readable on every hue. */
export function hueOf(name: string): number {
  let hash = 2_166_136_261;
  for (const char of name) hash = Math.imul(hash ^ char.codePointAt(0)!, 16_777_619);
  return (hash >>> 0) % 360;
}

export const sideColour = (name: string): string => `hsl(${hueOf(name)} 58% 29%)`;

interface CrestProps {
  readonly side: string;
  readonly size?: number;
}

export const Crest = ({ side, size = 48 }: CrestProps) => (
  <svg class="crest" width={size} height={size} viewBox="0 0 48 48" aria-hidden="true" focusable="false">
    <path
      d="M24 2c6 3.500 12 4.500 18 4.500V24c0 11-7 18-18 22C13 42 6 35 6 24V6.500C12 6.500 18 5.500 24 2Z"
      fill={sideColour(side)}
    />
    <path
      d="M24 5.500c5 2.600 10 3.500 15 3.700V24c0 9.300-5.700 15.200-15 18.800C14.700 39.200 9 33.300 9 24V9.200c5-.2 10-1.100 15-3.700Z"
      fill="none"
      stroke="#fff"
      stroke-opacity=".35"
    />
    <text x="24" y="29" text-anchor="middle" fill="#fff" class={`crest-text crest-text-${shortName(side).length}`}>
      {shortName(side)}
    </text>
  </svg>
);
