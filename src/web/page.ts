export interface PageFiles {
  readonly script: string;
  readonly theme: string;
  readonly style: string;
  readonly icon: string;
}

const DESCRIPTION =
  "Fantasy cricket with your exact rank after every ball. Pick eleven, join a contest, watch it move.";

/** The one page. Nothing in it is inline, so that the policy can forbid all that is. */
export const pageHtml = ({ script, theme, style, icon }: PageFiles): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<title>Powerplay</title>
<meta name="description" content="${DESCRIPTION}">
<meta property="og:title" content="Powerplay">
<meta property="og:description" content="${DESCRIPTION}">
<meta name="theme-color" content="#0a100d" media="(prefers-color-scheme: dark)">
<meta name="theme-color" content="#f3f6f1" media="(prefers-color-scheme: light)">
<link rel="icon" type="image/svg+xml" href="/assets/${icon}">
<script src="/assets/${theme}"></script>
<link rel="stylesheet" href="/assets/${style}">
<script type="module" src="/assets/${script}"></script>
</head>
<body>
<div id="app"></div>
<noscript>Powerplay is a live game and needs JavaScript.</noscript>
</body>
</html>
`;
