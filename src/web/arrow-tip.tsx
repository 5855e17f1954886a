/** Where arrows of both views end; the style sheet colours it. */

/** What `marker-end` says. One view is shown at a time. */
export const TIP = 'url(#tip)';

export function ArrowTip() {
  return (
    <defs>
      <marker
        id="tip"
        viewBox="0 0 8 8"
        refX="8"
        refY="4"
        markerWidth="8"
        markerHeight="8"
        orient="auto"
        markerUnits="userSpaceOnUse"
      >
        <path d="M0,0L8,4L0,8z" />
      </marker>
    </defs>
  );
}
