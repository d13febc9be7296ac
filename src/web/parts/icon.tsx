/** Line icons on a 24 grid; always beside a word or within something that has a label. */
const PATHS = {
  ball: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM8 4c2.5 4.800 2.500 11.200 0 16M16 4c-2.500 4.800-2.500 11.200 0 16",
  trophy:
    "M8 4h8v5a4 4 0 0 1-8 0V4ZM8 6H4c0 3 1.500 5 4 5M16 6h4c0 3-1.500 5-4 5M12 13v4M8 20h8M12 17c-2 0-3 1-3 3h6c0-2-1-3-3-3Z",
  wallet: "M4 7a2 2 0 0 1 2-2h11v3M4 7v10a2 2 0 0 0 2 2h14V8H6a2 2 0 0 1-2-1ZM16 13.500h.01",
  user: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4 21c0-4 3.500-7 8-7s8 3 8 7",
  gear: "M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM12 2v3M12 19v3M4.900 4.900 7 7M17 17l2.100 2.100M2 12h3M19 12h3M4.900 19.100 7 17M17 7l2.100-2.100",
  moon: "M20 14.500A8.500 8.500 0 1 1 9.500 4a7 7 0 0 0 10.500 10.500Z",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.400 1.400M17.600 17.600 19 19M5 19l1.400-1.400M17.600 6.400 19 5",
  exit: "M14 4H6v16h8M10 12h11M17 8l4 4-4 4",
  plus: "M12 5v14M5 12h14",
  check: "m5 12.500 4.500 4.500L19 7.500",
  close: "M6 6l12 12M18 6 6 18",
  back: "M15 5l-7 7 7 7",
  share: "M12 15V4M8 7.500 12 4l4 3.500M5 12v8h14v-8",
  bolt: "M13 3 6 13.500h5L10 21l8-11h-5.500z",
  up: "m6 15 6-6 6 6",
  down: "m6 9 6 6 6-6",
  lock: "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3",
  users:
    "M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7ZM2.500 20c0-3.500 3-6 6.500-6s6.500 2.500 6.500 6M16 4.500a3.500 3.500 0 0 1 0 6.500M18 14.500c2.200.8 3.500 3 3.500 5.500",
} as const;

export type IconName = keyof typeof PATHS;

export const Icon = ({ name, size = 20 }: { readonly name: IconName; readonly size?: number }) => (
  <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    <path d={PATHS[name]} />
  </svg>
);
