// OHIF's configuration: our DICOMweb is the only source there is, and nothing in an address can name another one.
// OHIF calls the function with its services; its source asks `onConfiguration` first, where our header is put in.
const SOURCE = "smartapp";

export function ohifConfig(pass) {
  return ({ servicesManager }) => ({
    name: SOURCE,
    routerBasename: "/",
    extensions: [],
    modes: [],
    customizationService: {},
    showStudyList: false,
    showErrorDetails: "production",
    showWarningMessageForCrossOrigin: false,
    showLoadingIndicator: true,
    strictZSpacingForVolumeViewport: true,
    maxNumberOfWebWorkers: 3,
    maxNumRequests: { interaction: 20, thumbnail: 5, prefetch: 10 },
    defaultDataSourceName: SOURCE,
    dataSources: [source(pass, servicesManager)],
    httpErrorHandler: () => {},
  });
}

function source(pass, servicesManager) {
  return {
    namespace: "@ohif/extension-default.dataSourcesModule.dicomweb",
    sourceName: SOURCE,
    configuration: {
      friendlyName: SOURCE,
      name: SOURCE,
      qidoRoot: pass.dicomweb,
      wadoRoot: pass.dicomweb,
      qidoSupportsIncludeField: true,
      supportsFuzzyMatching: false,
      supportsWildcard: false,
      imageRendering: "wadors",
      thumbnailRendering: "wadors",
      enableStudyLazyLoad: true,
      dicomUploadEnabled: false,
      singlepart: "bulkdata",
      bulkDataURI: { enabled: true },
      onConfiguration: (configuration) => {
        servicesManager.services.userAuthenticationService.setServiceImplementation({
          getAuthorizationHeader: () => pass.header,
        });
        return configuration;
      },
    },
  };
}
