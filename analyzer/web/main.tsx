import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Router } from 'wouter';
import { newQueryClient } from './api/query-client.ts';
import { App } from './app.tsx';
import './global.css';
import { routerBase } from './state/base.ts';

// The icon's reference is relative to the address the page was loaded from; addresses change without loading.
for (const link of document.querySelectorAll('link')) link.setAttribute('href', link.href);

createRoot(document.getElementById('app')!).render(
  <StrictMode>
    <QueryClientProvider client={newQueryClient()}>
      <Router base={routerBase}>
        <App />
      </Router>
    </QueryClientProvider>
  </StrictMode>,
);
