import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

createRoot(document.getElementById('app')!).render(
  <StrictMode>
    <h1>Rollcall</h1>
    <p>
      The first panels come with the next commits. <a href="api/v1/report?format=md">The report</a>
    </p>
  </StrictMode>,
);
