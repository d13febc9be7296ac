/** Before the first paint: a theme that was chosen here overrides the system's. */
import { readTheme } from "./state/theme-choice.ts";

const chosen = readTheme();
if (chosen !== null) document.documentElement.dataset["theme"] = chosen;
