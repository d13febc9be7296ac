export type Theme = "dark" | "light";

const KEY = "powerplay.theme";

/** null: as the system has it. */
export function readTheme(): Theme | null {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "dark" || kept === "light" ? kept : null;
  } catch {
    // A browser that keeps nothing for pages throws at the mere question.
    return null;
  }
}

export function keepTheme(theme: Theme): void {
  document.documentElement.dataset["theme"] = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // It then lasts as long as the page.
  }
}

export const shownTheme = (): Theme =>
  readTheme() ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
