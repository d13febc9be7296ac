import { useEffect, useRef, useState } from "preact/hooks";

const TWEEN_MS = 700;

export const prefersStillness = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;

interface TweenProps {
  readonly value: number;
  readonly text: (value: number) => string;
  readonly testId?: string;
}

/** A number that counts up or down to where it is. Only what it came to is read aloud. */
export function Tween({ value, text, testId }: TweenProps) {
  const [shown, setShown] = useState(value);
  const from = useRef(value);
  useEffect(() => {
    const start = from.current;
    if (start === value) return undefined;
    if (prefersStillness() || document.hidden) {
      from.current = value;
      setShown(value);
      return undefined;
    }
    let frame = 0;
    const beganMs = performance.now();
    const step = (nowMs: number) => {
      const done = Math.min(1, Math.max(0, (nowMs - beganMs) / TWEEN_MS));
      from.current = done === 1 ? value : start + (value - start) * (1 - (1 - done) ** 3);
      setShown(from.current);
      if (done < 1) frame = requestAnimationFrame(step);
    };
    frame = requestAnimationFrame(step);
    return () => cancelAnimationFrame(frame);
  }, [value]);
  return (
    <>
      <span aria-hidden="true">{text(shown)}</span>
      <span class="sr-only" data-testid={testId}>
        {text(value)}
      </span>
    </>
  );
}
