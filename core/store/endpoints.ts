/**
 * Forgets endpoints: what a bad hour brought (a scanner, a typo in an instrumentation) leaves reports and gives its
 * room under the bounds back. An endpoint that is called afterwards is a new one. Any process may forget while a
 * writer commits.
 */
export interface EndpointStore {
  /** @param id of `EndpointRecord` @returns false when the project has no such endpoint */
  forgetEndpoint(project: string, id: string): Promise<boolean>;
  /**
   * Forgets a service: all its endpoints, and when it was heard. Its inventory and decisions stay.
   * @param environment the only one; undefined for all
   * @returns how many endpoints it had; undefined when there is no such service
   */
  forgetService(
    project: string,
    service: string,
    environment: string | undefined,
  ): Promise<number | undefined>;
  close(): Promise<void>;
}
