using Dcr.Cli;

return await DcrCommand.RunAsync(args, Surroundings.OfProcess());
